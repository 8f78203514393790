"""The national export as it comes: recognised, matched or doubted, never guessed, and nobody's name kept."""

import datetime as dt
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import Catalogue
from services.demo.national_export import NationalDay, counts_of, national_days
from services.importing import run
from services.importing.codes import CodeFinder, meaning_key
from services.importing.national import COLUMNS
from services.importing.outcome import Rejection
from services.importing.readers import FileProblem
from services.importing.run import ImportPlan
from streams.domain.catalogue import Catalogue as Judging
from streams.domain.errors import DependencyDown
from tests.unit.importing.offices import CASE, HEADER, Province, export

OLD = {"Ngày khởi phát": "01/08/2024", "Thời gian báo cáo": "02/08/2024 08:30"}
# Of one name: as it is written, without accents, and with another accent, which is another word.
_PLAIN = {"Xã": "Xã Bình Lư", "Chẩn đoán chính": "Thủy đậu"}
_BARE = {"Xã": "xa binh lu", "Chẩn đoán chính": "thuy dau"}
_WRONG = {"Xã": "Xã Bình Lư", "Chẩn đoán chính": "Thúy đâu"}


@pytest.fixture
def province(judging: Judging, codes: CodeFinder) -> Province:
    return Province(judging, codes)


def sums(plan: ImportPlan) -> tuple[int, int, int, int]:
    """(created, updated, unchanged, rejected)"""
    outcome = plan.outcome
    return outcome.created, outcome.updated, outcome.unchanged, len(outcome.rejected)


def data(province: Province) -> dict[str, Any]:
    """The data of the last event, as JSON has it."""
    found: dict[str, Any] = orjson.loads(province.kafka.records[-1][1])["data"]
    return found


def sent(province: Province, **cells: str) -> dict[str, Any]:
    """What becomes of one case with some other cells."""
    plan = province.send(export(CASE | cells))
    assert plan.outcome.rejected == []
    return data(province)


def refused(province: Province, **cells: str) -> Rejection:
    (rejection,) = province.send(export(CASE | cells)).outcome.rejected
    assert province.kafka.records == []
    return rejection


def test_there_are_48_columns_and_no_identity_is_read() -> None:
    assert len(COLUMNS) == len({name for name, _ in COLUMNS}) == 48
    names = {"Họ tên", "CMND", "Điện thoại", "Nơi ở hiện nay", "Kinh độ", "Vĩ độ", "Ghi chú"}
    names |= {"Tên người báo cáo", "SĐT người báo cáo", "Email người báo cáo", "Tiền sử dịch tễ"}
    assert {name for name, use in COLUMNS if use == "identity"} >= names


def test_a_case(province: Province) -> None:
    cells = {
        "Ngày sinh": "01/03/1990",
        "Giới tính": "Nữ",
        "Thôn": "Bản Nà Hum",
        "Phân độ bệnh": "Nặng",
        "Tình trạng tiêm chủng": "Không rõ",
        "Lấy mẫu xét nghiệm": "Có",
        "Ngày lấy mẫu": "03/08/2025",
        "Loại xét nghiệm": "RT-PCR",
        "Kết quả": "Dương tính DENV-2",
        "Tình trạng hiện nay": "Ra viện",
        "Ngày nhập viện": "02/08/2025",
        "Ngày ra viện/tử vong": "09/08/2025",
        "Thời gian sửa": "10/08/2025 09:00",
    }
    assert sent(province, **cells) == {
        "disease": "dengue",
        "area_code": "03390",
        "area_on": "2025-07-01",
        "onset_on": "2025-08-01",
        "reported_on": "2025-08-02",
        "admitted_on": "2025-08-02",
        "sampled_on": "2025-08-03",
        "discharged_on": "2025-08-09",
        "classification": "suspected",
        "lab": {"denv2": "positive"},
        "test_type": "pcr",
        "outcome": "recovered",
        "hospitalised": True,
        "sex": "female",
        "age_years": 35.0,
        "hamlet": "Bản Nà Hum",
        "severity": "Nặng",
        "vaccination": "unknown",
        "external_ids": {"ecds": "2025-12-000001"},
    }
    event = province.kafka.events[-1]
    assert event.subject == "ECDS-2025-12-000001"
    # When the reporter recorded what the row says.
    assert event.time == dt.datetime(2025, 8, 10, 2, 0, tzinfo=dt.UTC)
    assert event.source == "/imports/national"


def sheet_of(day: NationalDay) -> bytes:
    """The day as an .xlsx file: dates are dates, and the title is one merged cell."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in day.rows:
        sheet.append([_typed(cell) for cell in cells])
    sheet.merge_cells("A1:H1")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _typed(cell: str) -> object:
    if len(cell) == 10 and cell[2] == cell[5] == "/" and cell != "31/02/2025":
        return dt.datetime.strptime(cell, "%d/%m/%Y")  # noqa: DTZ007 - as a workbook has it
    return cell or None


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_two_days_of_a_province_are_what_is_true(
    province: Province, published_catalogue: Catalogue, kind: str
) -> None:
    for day in national_days(published_catalogue, 5, 160):
        content = day.csv().encode("utf-8-sig") if kind == "csv" else sheet_of(day)
        foreseen = province.send(content, f"export.{kind}", preview=True)
        plan = province.send(content, f"export.{kind}")
        # The preview told what came of it.
        assert foreseen.document(each_row=True) == plan.document(each_row=True) | {"preview": True}
        results: dict[int, str] = {result.row: result.what for result in plan.outcome.each_row()}
        doubtful = {row.row for row in plan.outcome.rejected if any(fault.question for fault in row.faults)}
        assert results | dict.fromkeys(doubtful, "doubtful") == day.expected
        assert plan.outcome.doubtful == len(doubtful) > 0
        assert [skip.reason for skip in plan.outcome.skipped] == ["title", "title", "total", "footer"]
        assert counted(province) == {(d, a): tuple(n) for d, a, *n in counts_of(day)}
        told = province.told + orjson.dumps(plan.document(each_row=True))
        assert not [secret for secret in day.secrets if secret.encode() in told]
        # Again, also in disorder: nothing is sent.
        records = len(province.kafka.records)
        again = province.send(content, f"export.{kind}")
        assert (again.outcome.created, again.outcome.updated) == (0, 0)
        assert len(province.kafka.records) == records


def counted(province: Province) -> dict[tuple[str, str], tuple[int, ...]]:
    """(disease, commune) → (cases, positive, deaths), by the latest word on each field of each case."""
    cases: dict[str, dict[str, Any]] = {}
    for event in sorted(province.kafka.events, key=lambda event: (event.time, event.id)):
        known = cases.setdefault(event.subject, {"lab": {}})
        known["lab"] = known["lab"] | event.data.get("lab", {})
        known.update({name: value for name, value in event.data.items() if name != "lab"})
    found: dict[tuple[str, str], Counter[str]] = {}
    for case in cases.values():
        counts = found.setdefault((case["disease"], case["area_code"]), Counter())
        counts["cases"] += 1
        counts["positive"] += "positive" in case["lab"].values()
        counts["deaths"] += case.get("outcome") == "dead"
    return {key: (n["cases"], n["positive"], n["deaths"]) for key, n in found.items()}


def test_the_example_of_the_readme(province: Province, published_catalogue: Catalogue) -> None:
    path = Path(__file__).parents[3] / "docs" / "examples" / "national-export.csv"
    assert sums(province.send(path.read_bytes())) == (6, 0, 1, 0)
    made = national_days(published_catalogue, 2025, 6)[0].csv(";")
    assert path.read_bytes().decode("utf-8-sig") == made


class TestCorrections:
    def test_only_what_the_national_system_changed_is_sent_at_its_time(self, province: Province) -> None:
        sent(province, **{"Kết quả": "Chưa có kết quả"})
        cells = {
            "Kết quả": "Dương tính",
            "Phân loại chẩn đoán": "Xác định PTN",
            "Thời gian sửa": "05/08/2025 10:00",
        }
        assert sent(province, **cells) == {"classification": "confirmed", "lab": {"dengue": "positive"}}
        assert province.kafka.events[-1].time == dt.datetime(2025, 8, 5, 3, 0, tzinfo=dt.UTC)

    def test_the_latest_diagnosis_and_status_hold(self, province: Province) -> None:
        sent(province)
        cells = {
            "Chẩn đoán thay đổi gần nhất": "Sốt xuất huyết Dengue → Sởi",
            "Tình trạng hiện nay": "Đang điều trị",
            "Tình trạng thay đổi gần nhất": "Tử vong",
            "Ngày ra viện/tử vong": "04/08/2025",
            "Thời gian sửa": "05/08/2025 10:00",
        }
        assert sent(province, **cells) == {"disease": "measles", "outcome": "dead", "died_at": "2025-08-04"}

    def test_a_corrected_onset_does_not_send_the_place_again(self, province: Province) -> None:
        sent(province)
        assert sent(province, **{"Ngày khởi phát": "25/06/2025"}) == {"onset_on": "2025-06-25"}

    def test_an_older_export_after_a_newer_one_changes_nothing(self, province: Province) -> None:
        newer = export(CASE | {"Kết quả": "Dương tính", "Thời gian sửa": "05/08/2025 10:00"})
        province.send(newer)
        plan = province.send(export(CASE))
        assert sums(plan) == (0, 0, 1, 0)
        assert [skip.reason for skip in plan.outcome.skipped] == ["older"]
        assert sums(province.send(newer)) == (0, 0, 1, 0)
        assert len(province.kafka.records) == 1

    def test_a_result_of_another_agent_takes_the_pending_one_back(self, province: Province) -> None:
        sent(province, **{"Lấy mẫu xét nghiệm": "Có"})
        assert data(province)["lab"] == {"dengue": "pending"}
        assert sent(province, **{"Kết quả": "Dương tính DENV-1"}) == {
            "lab": {"dengue": None, "denv1": "positive"}
        }

    def test_a_value_that_cannot_be_read_keeps_what_was_known(self, province: Province) -> None:
        sent(province, **{"Giới tính": "Nam"})
        plan = province.send(export(CASE | {"Giới tính": "???"}))
        assert sums(plan) == (0, 0, 1, 0)
        (left_out,) = plan.outcome.repaired[-1:]
        assert (left_out.field, left_out.taken) == ("sex", "")

    def test_it_goes_on_after_a_break(self, province: Province, published_catalogue: Catalogue) -> None:
        content = national_days(published_catalogue, 6, 80)[0].csv().encode()
        province.kafka.fails_after = 20
        broken = ImportPlan("export.csv", False)
        with pytest.raises(DependencyDown):
            province.send(content, plan=broken)
        province.kafka.fails_after = None
        plan = province.send(content)
        assert plan.outcome.resent > 0
        events = province.kafka.events
        assert len({(event.subject, event.id) for event in events}) == len({e.subject for e in events})


class TestPlaces:
    @pytest.mark.parametrize(
        ("cells", "code", "on"),
        [
            ({"Xã": "xa binh lu", "Tỉnh": "lai chau"}, "03390", "2025-07-01"),
            ({"Xã": "P. Đoàn Kết", "Tỉnh": "T. Lai Châu"}, "03388", "2025-07-01"),
            ({"Xã": "3390", "Tỉnh": "12"}, "03390", "2025-07-01"),
            # Old names, by which people still go.
            ({"Xã": "Xã Sùng Phài"}, "03388", "2025-07-01"),
            ({"Xã": "Thị trấn Tam Đường"}, "03390", "2025-07-01"),
            # Without a commune the province is what is known.
            ({"Xã": ""}, "12", "2025-07-01"),
            # Yên Bái became part of Lào Cai.
            ({"Xã": "Phường Yên Bái", "Tỉnh": "Lào Cai"}, None, "2025-07-01"),
            # A case of before, in an export of now.
            (OLD, "03390", "2025-07-01"),
            (OLD | {"Xã": "Xã Sùng Phài"}, "03403", "1990-01-01"),
        ],
    )
    def test_old_and_new_names(
        self, province: Province, cells: dict[str, str], code: str | None, on: str
    ) -> None:
        found = sent(province, **cells)
        assert found["area_on"] == on
        if code is not None:
            assert found["area_code"] == code

    def test_what_was_not_understood_as_it_stands_is_told(self, province: Province) -> None:
        plan = province.send(export(CASE | {"Xã": "Xã Sùng Phài"}))
        (repair,) = plan.outcome.repaired
        assert (repair.found, repair.taken) == ("Xã Sùng Phài, Tỉnh Lai Châu", "03388")
        assert "trước 01/07/2025" in repair.message_vi

    def test_province_district_and_commune_of_before(self, province: Province) -> None:
        header = (*HEADER[:15], "Huyện", *HEADER[15:])
        case = CASE | OLD | {"Huyện": "H. Tam Đường"}
        province.send(export(case, header=header))
        assert (data(province)["area_code"], data(province)["area_on"]) == ("03412", "1990-01-01")
        # The same address for a later case: the commune that it went into.
        later = CASE | {"Huyện": "Huyện Tam Đường", "Mã số": "2"}
        province.send(export(case, later, header=header))
        assert (data(province)["area_code"], data(province)["area_on"]) == ("03390", "2025-07-01")

    @pytest.mark.parametrize("cells", [(_PLAIN, _BARE, _WRONG, _PLAIN), (_WRONG, _BARE, _PLAIN, _BARE)])
    def test_texts_that_differ_in_accents_alone_are_each_looked_up(
        self, published_catalogue: Catalogue, judging: Judging, cells: Sequence[dict[str, str]]
    ) -> None:
        # One after the other in one file, by a finder that has answered nothing yet.
        fresh = Province(judging, CodeFinder(published_catalogue))
        cases = [CASE | cell | {"Mã số": str(n)} for n, cell in enumerate(cells, 1)]
        plan = fresh.send(export(*cases))
        told = {repair.row: repair.found for repair in plan.outcome.repaired}
        asked = {rejection.row: [f.field for f in rejection.faults] for rejection in plan.outcome.rejected}
        assert told == {n: "xa binh lu, Tỉnh Lai Châu" for n, c in enumerate(cells, 2) if c == _BARE}
        assert asked == {n: ["disease"] for n, c in enumerate(cells, 2) if c == _WRONG}
        codes = [event.data["area_code"] for event in fresh.kafka.events]
        assert codes == ["03390"] * (len(cells) - len(asked))

    @pytest.mark.parametrize(
        ("cells", "candidate"),
        [
            ({"Xã": "Xã Bình Lưu"}, "03390"),
            ({"Xã": "Xã Đoàn Kết"}, "03388"),
            ({"Tỉnh": "Lai Chou"}, "03390"),
            ({"Tỉnh": "Lai Chou", "Xã": ""}, "12"),
            ({"Tỉnh": "Tỉnh Yên Bái", "Xã": "Xã Hồng Caa"}, "04570"),
        ],
    )
    def test_a_doubtful_place_is_asked_about(
        self, province: Province, cells: dict[str, str], candidate: str
    ) -> None:
        (fault,) = refused(province, **cells).faults
        assert fault.field == "area_code"
        assert fault.question is not None
        assert candidate in [found.code for found in fault.question.candidates]

    @pytest.mark.parametrize("cells", [{"Xã": "Xyzzy Qwerty"}, {"Xã": "Lò Văn Pâng"}, {"Tỉnh": "", "Xã": ""}])
    def test_a_place_that_resembles_none_is_never_repeated(
        self, province: Province, cells: dict[str, str]
    ) -> None:
        (fault,) = refused(province, **cells).faults
        assert (fault.field, fault.question) == ("area_code", None)
        assert "Pâng" not in fault.message_vi + fault.message_en

    def test_a_decision_holds_for_every_file_after_it(
        self, province: Province, published_catalogue: Catalogue
    ) -> None:
        meanings = {
            ("area_code", meaning_key("Xã Bình Lưu, Tỉnh Lai Châu")): "03390@2025-07-01",
            ("disease", meaning_key("Sốt xuất huyêt Dengu")): "dengue",
        }
        cells = {"Xã": "xã Bình Lưu", "Chẩn đoán chính": "sốt xuất huyêt  dengu"}
        assert {fault.field for fault in refused(province, **cells).faults} == {"area_code", "disease"}
        province.codes = CodeFinder(published_catalogue, meanings)
        found = sent(province, **cells)
        assert (found["area_code"], found["disease"]) == ("03390", "dengue")

    def test_a_decision_for_a_place_of_before_goes_on_to_the_one_of_now(
        self, province: Province, published_catalogue: Catalogue
    ) -> None:
        meanings = {("area_code", meaning_key("Sùng Phàii, Tỉnh Lai Châu")): "03403@start"}
        province.codes = CodeFinder(published_catalogue, meanings)
        assert sent(province, **{"Xã": "Sùng Phàii"})["area_code"] == "03388"
        old = OLD | {"Xã": "Sùng Phàii", "Mã số": "2"}
        assert sent(province, **old)["area_code"] == "03403"


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"Mã số": ""}, "case_id"),
        ({"Mã số": "2,02512E+11"}, "case_id"),
        ({"Mã số": "012085000123"}, "case_id"),
        ({"Mã số": "0912345678"}, "case_id"),
        ({"Mã số": "mã số lạ"}, "case_id"),
        ({"Chẩn đoán chính": ""}, "disease"),
        ({"Chẩn đoán chính": "Sốt mò cua"}, "disease"),
        ({"Ngày khởi phát": "07/25/2025"}, "onset_on"),
        ({"Ngày khởi phát": "01/08/2031"}, "onset_on"),
        ({"Thời gian báo cáo": "hôm qua"}, "reported_on"),
        ({"Ngày khởi phát": "", "Thời gian báo cáo": ""}, "onset_on"),
        ({"Trạng thái": "Đã xóa"}, "row"),
        ({"Tình trạng hiện nay": "Tử vong", "Ngày ra viện/tử vong": "01/07/2025"}, "died_at"),
    ],
)
def test_a_row_that_cannot_be_counted_is_refused(
    province: Province, cells: dict[str, str], field: str
) -> None:
    faults = refused(province, **cells).faults
    assert [fault.field for fault in faults] == [field]
    assert all(fault.message_vi and fault.message_en for fault in faults)


def test_a_code_that_lost_its_zeros_is_the_same_case(province: Province) -> None:
    province.send(export(CASE | {"Mã số": "000123"}))
    assert sums(province.send(export(CASE | {"Mã số": "123"}))) == (0, 0, 1, 0)


@pytest.mark.parametrize("text", ["Lò Văn Pâng", "gọi 0912345678", "x" * 81, "a\x07b"])
def test_a_hamlet_that_may_be_a_person_is_left_out(province: Province, text: str) -> None:
    assert "hamlet" not in sent(province, **{"Thôn": text})


def test_numbered_columns_and_a_repeated_header_are_no_cases(province: Province) -> None:
    numbers = {name: f"({n})" for n, name in enumerate(HEADER, 1)}
    plan = province.send(export(numbers, CASE, dict(zip(HEADER, HEADER, strict=True)), CASE | {"Mã số": "2"}))
    assert sums(plan) == (2, 0, 0, 0)
    assert [skip.row for skip in plan.outcome.skipped] == [2, 4]


def test_an_export_without_a_column_that_counts_is_refused(province: Province) -> None:
    header = [name for name in HEADER if name != "Chẩn đoán chính"]
    with pytest.raises(FileProblem, match="Chẩn đoán chính"):
        province.send(export(CASE, header=header))
    with pytest.raises(FileProblem, match="Mã số stands there twice"):
        province.send(export(CASE, header=(*HEADER, "Mã số")))


def test_the_kind_can_be_demanded(province: Province) -> None:
    assert sums(province.send(export(CASE), held="national")) == (1, 0, 0, 0)
    for held in ("line-list", "tally", "focus", "events"):
        with pytest.raises(FileProblem):
            province.send(export(CASE), held=held)  # type: ignore[arg-type]
    with pytest.raises(FileProblem, match="48 columns"):
        province.send(b"case_id,disease,area_code\nA,dengue,12\n", "list.csv", held="national")


def test_a_preview_remembers_and_sends_nothing(province: Province, monkeypatch: pytest.MonkeyPatch) -> None:
    # The second row of the case comes when the first is remembered already.
    monkeypatch.setattr(run, "CHUNK", 1)
    assert sums(province.send(export(CASE, CASE), preview=True)) == (1, 0, 1, 0)
    assert province.rows.table == {}
    assert province.kafka.records == []
    assert sums(province.send(export(CASE, CASE))) == (1, 0, 1, 0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.dictionaries(
        st.sampled_from(HEADER),
        st.one_of(
            st.text(
                st.characters(blacklist_categories=("Cs",), blacklist_characters='\n\r;"\x00'), max_size=30
            ),
            st.sampled_from(
                ("=1+1", "@SUM(A1)", "-2", "0912345678", "45111", "1e9", "null", "00", "31/12/9999", "١٢")
            ),
        ),
        max_size=12,
    )
)
def test_whatever_stands_in_a_row_it_is_sent_or_refused_in_words(
    judging: Judging, codes: CodeFinder, cells: dict[str, str]
) -> None:
    province = Province(judging, codes)
    plan = province.send(export(CASE | cells, CASE | {"Mã số": "other"}))
    assert plan.outcome.rows + len(plan.outcome.skipped) == 2
    assert sum(sums(plan)) == plan.outcome.rows
    # The fake Kafka takes only events that the stream would take.
    assert len(province.kafka.events) == plan.outcome.created + plan.outcome.updated
    orjson.dumps(plan.document(each_row=True))
