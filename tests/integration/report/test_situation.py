# ruff: noqa: E501 (sentences are shown whole)
"""The situation report of Lai Châu 2023 from the demo's data: every sentence, and every figure asked again."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import docx
import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import services.cli.connection
from schemas.catalogue import Catalogue
from services.cli import report_command
from services.demo.figures import figures_of
from services.report import writing
from services.report.writing import situation_report
from services.settings import Settings
from streams.domain.report.notice import in_prose
from streams.stores.answers import Extras, read_answer
from streams.stores.counts import CountsRequest
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from tests import ledger_contract
from tests.builders import event
from tests.commands import printed, run
from tests.conftest import SettingsFactory
from tests.demo_store import fold_demo, recorded
from tests.fakes import run as finish
from tests.situations import flaws, read_paragraph

pytestmark = pytest.mark.native

YEAR = ("--province", "12", "--from", "2023-01-01", "--to", "2023-12-31")
FOUND = "Lũy tích giám sát phát hiện"
NO_DEATHS = "không có trường hợp tử vong"

# Báo cáo Sở Y tế Lai Châu năm 2023 (public); what it does not state is the demo's own, see services/demo.
SENTENCES = {
    "covid19": f"COVID-19: {FOUND} 657 trường hợp mắc (trong đó 657 trường hợp dương tính), {NO_DEATHS}.[1]",
    "hfmd": f"Bệnh Tay - chân - miệng: {FOUND} 74 trường hợp nghi mắc (trong đó 06 trường hợp dương tính, 03 trường "
    f"hợp âm tính), tăng 21 trường hợp so với cùng kỳ năm 2022, {NO_DEATHS}.",
    "rabies": f"Bệnh Dại: {FOUND} có 1.971 trường hợp đến tiêm phòng dại, tăng 768 trường hợp so với cùng kỳ năm "
    f"2022. {FOUND} 03 trường hợp mắc tại huyện Mường Tè, huyện Phong Thổ và huyện Nậm Nhùn, tăng 02 trường hợp so "
    "với cùng kỳ năm 2022. Ghi nhận 03 trường hợp tử vong (Mường Tè, Phong Thổ, Nậm Nhùn). Số trường hợp tử vong "
    "tăng 02 trường hợp so với cùng kỳ năm 2022.",
    "dengue": f"Bệnh Sốt xuất huyết Dengue: {FOUND} 40 trường hợp nghi mắc (trong đó 37 trường hợp dương tính, 03 "
    f"trường hợp đang chờ kết quả xét nghiệm), tăng 22 trường hợp so với cùng kỳ năm 2022, {NO_DEATHS}. Các ca mắc "
    "đều là người đi làm ăn, lao động, học tập ở tỉnh khác trở về, hiện tại chưa ghi nhận trường hợp nào mắc tại tỉnh.",
    "streptococcus_suis": f"Bệnh do liên cầu lợn ở người: {FOUND} 03 trường hợp mắc tại huyện Sìn Hồ và huyện Phong "
    "Thổ (trong đó 03 trường hợp dương tính), tăng 03 trường hợp so với cùng kỳ năm 2022, có 01 trường hợp tử vong "
    "tại huyện Phong Thổ. Số trường hợp tử vong tăng 01 trường hợp so với cùng kỳ năm 2022.",
    "anthrax": f"Bệnh Than: {FOUND} 04 trường hợp nghi mắc tại huyện Sìn Hồ (trong đó 03 trường hợp dương tính, 01 "
    f"trường hợp âm tính), tăng 04 trường hợp so với cùng kỳ năm 2022, {NO_DEATHS}.",
    "rash_fever_susp_measles": f"Sốt phát ban nghi sởi: {FOUND} 33 trường hợp (trong đó 02 trường hợp dương tính với "
    "sởi, 03 trường hợp dương tính với rubella, 23 trường hợp âm tính, 05 trường hợp đang chờ kết quả xét nghiệm), "
    f"số mắc tương đương so với cùng kỳ năm 2022, {NO_DEATHS}.",
    "viral_encephalitis": f"Bệnh Viêm não vi rút: {FOUND} 40 trường hợp (trong đó 08 trường hợp dương tính với viêm "
    "não Nhật Bản, 32 trường hợp âm tính), số mắc tương đương so với cùng kỳ năm 2022. Ghi nhận 02 trường hợp tử "
    "vong (Tam Đường, Sìn Hồ). Số trường hợp tử vong tăng 02 trường hợp so với cùng kỳ năm 2022.",
    "pertussis": f"Bệnh Ho gà: {FOUND} 07 trường hợp nghi mắc (trong đó 01 trường hợp dương tính, 06 trường hợp âm "
    f"tính), tăng 01 trường hợp so với cùng kỳ năm 2022, {NO_DEATHS}.",
    "malaria": "Bệnh Sốt rét: Lũy tích 93 trường hợp mắc (thể P. vivax), giảm 10 trường hợp so với cùng kỳ năm 2022, "
    f"{NO_DEATHS}. Tổng số lam, que thử xét nghiệm: lũy tích 49.617/30.000 lam, đạt 165,39% kế hoạch.[1] Số liều "
    "thuốc điều trị: lũy tích 14.086 liều.[1]",
    "tuberculosis": f"Bệnh Lao: {FOUND} 200 trường hợp mắc (trong đó 157 trường hợp dương tính), tăng 10 trường hợp "
    f"so với cùng kỳ năm 2022, {NO_DEATHS}. Số người được khám phát hiện: lũy tích 2.241/4.000 người, đạt 56,03% kế "
    "hoạch, giảm 716 người so với cùng kỳ năm 2022.",
}  # fmt: skip
FOOD = [
    "Trong năm 2023 trên địa bàn tỉnh xảy ra 03 vụ ngộ độc thực phẩm với 25 người mắc, phải nhập viện điều trị 23 "
    f"người, {NO_DEATHS}.[2]",
    "Xã Sùng Phài, ngày 18/3/2023: 21 người ăn, 14 người mắc, không có người tử vong, chưa rõ số người nhập viện.",
    "Xã Bình Lư, ngày 2/6/2023: 07 người ăn, 07 người mắc, 07 người nhập viện, không có người tử vong.",
    "Xã Tà Tổng, ngày 9/9/2023: 04 người ăn, 02 người nhập viện, không có người tử vong, chưa rõ số người mắc.",
]


@pytest.fixture(scope="module")
def demo_url(database_url: str, published_catalogue: Catalogue) -> str:
    """This module's database with the demo in it."""
    fold_demo(database_url, published_catalogue)
    return database_url


@pytest.fixture
def commands(demo_url: str, settings_for: SettingsFactory, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Commands ask the demo's database; its Kafka topics are not there."""
    configured = settings_for(demo_url, "")
    for module in (services.cli.connection, report_command):
        monkeypatch.setattr(module, "settings", lambda: configured)
    return configured


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    """The report of the year, made once."""
    return {}


@pytest.fixture
def report(commands: Settings, kept: dict[str, Any]) -> dict[str, Any]:
    """The report of the year as JSON."""
    if not kept:
        kept.update(printed("report", "situation", *YEAR))
    return kept


def paragraphs(report: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [p for section in report["sections"] if section["key"] == key for p in section["paragraphs"]]


def test_every_sentence_is_that_of_the_published_figures(report: dict[str, Any]) -> None:
    found = {paragraph["disease"]: paragraph["text"] for paragraph in paragraphs(report, "diseases")}
    assert found == SENTENCES
    assert list(found) == list(SENTENCES), "in the catalogue's order"
    assert [paragraph["text"] for paragraph in paragraphs(report, "food_poisoning")] == FOOD
    assert [note["text"] for note in report["footnotes"]] == [
        "Hệ thống không có đủ số liệu từ ngày 1/1/2022 đến ngày 31/12/2022, nên không so sánh với cùng kỳ.",
        "Chi tiết từng vụ chưa đầy đủ: số người mắc và số người nhập viện của các vụ cộng lại chưa bằng tổng số.",
    ]


def test_the_text_read_again_is_what_counts_says(report: dict[str, Any]) -> None:
    rows = {
        row["disease"]: row
        for row in printed("counts", *YEAR, "--by", "disease", "--compare", "previous-year")
    }
    districts = printed("counts", *YEAR, "--by", "disease,district")
    for paragraph in paragraphs(report, "diseases"):
        code, row = paragraph["disease"], rows[paragraph["disease"]]
        said = read_paragraph(paragraph["text"])
        stated = figures_of(2023)[code]
        assert (
            (said.notified, said.deaths)
            == (row["notified"], row["deaths"])
            == (stated.notified, stated.deaths)
        )
        for counter in ("positive", "negative", "pending"):
            assert (getattr(said, counter) or 0) == row[counter]
        if row["previous_notified"] is None:
            assert (said.change, said.is_about, said.has_footnote) == (None, False, True)
        else:
            assert said.is_about or said.change == row["change"]
        dead = {
            r["district_name"].removeprefix("Huyện "): r["deaths"]
            for r in districts
            if r["disease"] == code and r["deaths"]
        }
        assert {name.removeprefix("huyện "): count for name, count in said.death_places.items()} == dead


def test_the_deaths_of_the_opening_are_those_listed(report: dict[str, Any]) -> None:
    (opening,) = paragraphs(report, "opening")
    listed = sum(read_paragraph(p["text"]).deaths or 0 for p in paragraphs(report, "diseases"))
    assert listed == 6
    assert opening["text"].endswith(
        "1.154 trường hợp mắc các bệnh truyền nhiễm, trong đó có 06 trường hợp tử vong."
    )


def asked_again(query: dict[str, Any], answers: dict[str, Any]) -> int:
    """The answer of a figure's own question, from the command that it names."""
    options = query["options"]
    words = [
        word
        for name, value in options.items()
        for word in (f"--{name.replace('_', '-')}", ",".join(value) if isinstance(value, list) else value)
    ]
    key = " ".join([query["command"], *words])
    if key not in answers:
        answers[key] = printed(*query["command"].split(), *words)
    rows = answers[key]
    if query["command"] == "foci":
        part = "days" if "subject" in options else "foci" if "subject" in query["where"] else "totals"
        rows = rows[part]
    matching = [row for row in rows if all(row[name] == value for name, value in query["where"].items())]
    if query["column"] == "*":
        return len(matching)
    return sum(_cell(row, column) for row in matching for column in query["column"].split("+"))


def _cell(row: dict[str, Any], column: str) -> int:
    value: Any = row
    for name in column.split("."):
        value = value[name]
    assert isinstance(value, int), column
    return value


def test_every_figure_is_the_answer_to_its_own_question(report: dict[str, Any]) -> None:
    answers: dict[str, Any] = {}

    def value(document: dict[str, Any]) -> float:
        if "whole" in document:
            return round(100 * value(document["of"]) / value(document["whole"]), 2)
        less = asked_again(document["minus"], answers) if "minus" in document else 0
        return asked_again(document["query"], answers) - less

    assert len(report["figures"]) > 60
    for figure in report["figures"]:
        assert value(figure) == pytest.approx(figure["value"], abs=0.005), figure
    texts = [
        part["text"]
        for s in report["sections"]
        for p in s["paragraphs"]
        for part in p["parts"]
        if "figure" in part
    ]
    assert texts == [figure["text"] for figure in report["figures"]]


def test_annexes_hold_what_counts_says(report: dict[str, Any]) -> None:
    by_disease, by_district = report["annexes"]
    rows = printed("counts", *YEAR, "--by", "disease", "--compare", "previous-year")
    assert [row[1:5] for row in by_disease["rows"]] == [
        [row["notified"], row["deaths"], row["previous_notified"], row["previous_deaths"]] for row in rows
    ]
    rows = printed("counts", *YEAR, "--by", "disease,district", "--compare", "previous-year")
    assert [row[1:4] for row in by_district["rows"]] == [
        [row["district_name"], row["notified"], row["deaths"]] for row in rows
    ]


def test_groups_of_the_cases_of_a_district_add_up_to_its_counts(commands: Settings) -> None:
    asked = ("--disease", "anthrax", *YEAR[2:])
    (province,) = printed("counts", *YEAR[:2], *asked, "--by", "province")
    districts = printed("counts", *YEAR[:2], *asked, "--by", "district")
    for area, row in [("12", province), *((row["district"], row) for row in districts)]:
        groups = printed("cases", "groups", "--area", area, *asked, "--by", "day,sex")
        assert sum(group["cases"] for group in groups) == row["notified"] > 0
        assert sum(group["positive"] for group in groups) == row["positive"]


def test_it_is_stamped_as_simulated_in_every_form(
    report: dict[str, Any], commands: Settings, tmp_path: Path
) -> None:
    assert report["stamp"] == "DỮ LIỆU MÔ PHỎNG"
    text = run("report", "situation", *YEAR).stdout
    assert "DỮ LIỆU MÔ PHỎNG" in text
    assert SENTENCES["rabies"] in text
    file = tmp_path / "report.docx"
    assert run("report", "situation", *YEAR, "--out", str(file)).exit_code == 0
    paper = docx.Document(str(file))
    assert any(
        paragraph.text.endswith("Số trường hợp tử vong tăng 01 trường hợp so với cùng kỳ năm 2022.")
        for paragraph in paper.paragraphs
    )
    assert "DỮ LIỆU MÔ PHỎNG" in paper.sections[0].first_page_footer.paragraphs[0].text
    assert len(paper.inline_shapes) == 3
    assert len(paper.tables) == 4


def test_as_of_prints_what_was_known(commands: Settings) -> None:
    period = ("--province", "12", "--from", "2023-01-01", "--to", "2023-06-30")
    then = printed("report", "situation", *period, "--as-of", "2023-06-15")
    now = printed("report", "situation", *period)
    rows = printed("counts", *period, "--as-of", "2023-06-15")
    assert then["figures"][0]["value"] == rows[0]["notified"] < now["figures"][0]["value"]
    assert "00 giờ 00 phút ngày 15/6/2023" in then["as_of_text"]
    again = printed("report", "situation", *period, "--as-of", "2023-06-15")
    assert {**then, "read_at": ""} == {**again, "read_at": ""}
    events = printed("report", "changes", *period, "--since", "2023-06-15", "--until", "2023-07-03")
    kinds = {group["kind"]: 0 for group in events["groups"]}
    for group in events["groups"]:
        kinds[group["kind"]] += len(group["subjects"])
    counted = [
        printed("counts", *period, "--as-of", at)[0]["notified"] for at in ("2023-06-15", "2023-07-03")
    ]
    come = sum(kinds.get(kind, 0) for kind in ("new", "late", "entered"))
    gone = sum(kinds.get(kind, 0) for kind in ("withdrawn", "left"))
    assert counted[1] - counted[0] == come - gone
    assert kinds["late"] > 0
    assert kinds["moved"] > 0


def test_a_published_report_is_printed_again_to_the_letter(commands: Settings, tmp_path: Path) -> None:
    published = printed("report", "publish", *YEAR, "--label", "Năm 2023")
    listed = printed("report", "list")
    assert published in listed
    again = printed("report", "situation", "--snapshot", published["id"])
    assert sha256(orjson.dumps(again)).hexdigest() == published["sha256"]
    text = run("report", "situation", "--snapshot", published["id"]).stdout
    assert SENTENCES["anthrax"] in text
    assert again["from"] == "2023-01-01"
    assert datetime.fromisoformat(published["published_at"])
    since = printed("report", "changes", "--since", published["id"])
    assert since["text"] == ["Không có thay đổi nào."]


def test_the_bulletin_of_a_week(commands: Settings) -> None:
    asked = ("report", "bulletin", "--province", "12")
    bulletin = printed(*asked, "--week", "2023-W27")
    answers: dict[str, Any] = {}
    for figure in bulletin["figures"]:
        assert asked_again(figure["query"], answers) == figure["value"]
    (total,) = printed("counts", "--province", "12", "--from", "2023-07-03", "--to", "2023-07-09")
    (opening, _, *lines) = bulletin["sections"][0]["paragraphs"]
    assert f"giám sát phát hiện {total['notified']} trường hợp mắc" in opening["text"]
    assert sum(row[1] for row in bulletin["annexes"][0]["rows"]) == total["notified"]
    assert len(lines) == len(bulletin["annexes"][0]["rows"])
    assert run(*asked, "--week", "2023-W53").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("situation", "--province", "12"), "wants --province, --from and --to"),
        (("situation", "--province", "99", *YEAR[2:]), "no province had this code"),
        (("situation", *YEAR, "--lang", "fr"), "choose from vi, en"),
        (("situation", *YEAR, "--format", "docx"), "wants a file"),
        (("situation", *YEAR, "--format", "pdf"), "choose from md, docx, json"),
        (("situation", "--snapshot", "no-uuid"), "no snapshot's id"),
        (("situation", "--snapshot", "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11"), "There is no snapshot"),
        (("situation", *YEAR, "--snapshot", "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11"), "no other question"),
        (("situation", "--province", "12", "--from", "2024-01-02", "--to", "2024-01-01"), "after its end on"),
        (("situation", "--province", "12", "--from", "2090-01-02", "--to", "2090-01-09"), "has not begun"),
        (("publish", *YEAR, "--label", " "), "wants a name"),
        (("changes", *YEAR, "--since", "yesterday"), "an instant is written"),
        (("changes", *YEAR, "--since", "2023-06-01", "--until", "2023-05-01"), "before --since"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_refused(commands: Settings, arguments: tuple[str, ...], reason: str) -> None:
    result = run("report", *arguments)
    assert result.exit_code == 2
    assert reason in " ".join(result.output.split())


# Any year and province ---------------------------------------------------------------------------------------


@st.composite
def epidemics(draw: Any) -> tuple[int, str, list[dict[str, Any]]]:
    """A year, a province that is not the demo's, and what befell some people in it, and in the year before."""
    province = draw(st.sampled_from(("11", "14", "15", "79")))
    year = draw(st.integers(2019, 2024))
    diseases = draw(st.lists(st.sampled_from(DISEASES), min_size=1, max_size=4, unique=True))
    communes = st.integers(0, 7)
    cases = []
    for _ in range(draw(st.integers(1, 40))):
        disease = draw(st.sampled_from(diseases))
        onset = date(
            year - draw(st.sampled_from((0, 0, 0, 1))), draw(st.integers(1, 12)), draw(st.integers(1, 28))
        )
        result = draw(st.sampled_from((None, "positive", "negative", "pending", "inconclusive")))
        cases.append(
            {
                "commune": draw(communes),
                "disease": disease,
                "onset_on": onset.isoformat(),
                "classification": draw(st.sampled_from(("suspected", "probable", "confirmed", "discarded"))),
                "outcome": draw(st.sampled_from(("unknown", "recovered", "dead"))),
                "origin": draw(st.sampled_from(("unknown", "local", "imported"))),
                **(
                    {}
                    if result is None
                    else {"lab": {draw(st.sampled_from(AGENTS.get(disease, (disease,)))): result}}
                ),
            }
        )
    return year, province, cases


DISEASES = ("dengue", "measles", "anthrax", "pertussis", "rash_fever_susp_measles", "malaria")
AGENTS = {"rash_fever_susp_measles": ("measles", "rubella"), "malaria": ("p_vivax", "p_falciparum")}


def test_the_figures_of_any_year_and_province_are_those_of_counts(
    demo_url: str, published_catalogue: Catalogue, settings_for: SettingsFactory
) -> None:
    configured = settings_for(demo_url, "")

    @settings(max_examples=4, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(epidemics())
    def check(epidemic: tuple[int, str, list[dict[str, Any]]]) -> None:
        year, province, told = epidemic
        store(demo_url, published_catalogue, province, told)
        check_report(demo_url, configured, province, year)

    check()


@pytest.mark.parametrize("as_of", [None, datetime(2024, 1, 10, tzinfo=UTC)])
def test_the_charts_of_a_docx_are_begun_while_the_rest_is_read(
    demo_url: str, settings_for: SettingsFactory, monkeypatch: pytest.MonkeyPatch, as_of: datetime | None
) -> None:
    begun: list[tuple[list[dict[str, Any]], str]] = []
    monkeypatch.setattr(writing, "draw_ahead", lambda charts, lang: begun.append((charts, lang)))
    year = {"province": "12", "first": date(2023, 1, 1), "last": date(2023, 12, 31), "as_of": as_of}
    with connect(demo_url) as connection:
        situation_report(connection, settings_for(demo_url, ""), **year)
        assert begun == []
        report = situation_report(connection, settings_for(demo_url, ""), **year, lang="en", form="docx")
    assert len(report["charts"]) == 3
    assert begun == [(report["charts"], "en")]


def check_report(url: str, configured: Settings, province: str, year: int) -> None:
    """The report of a year, read again, says what `counts` says."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    with connect(url) as connection:
        report = situation_report(connection, configured, province=province, first=first, last=last)
        asked = CountsRequest(("disease",), last, province=province, first=first, last=last)
        rows = {
            row["disease"]: row for row in read_answer(connection, asked, Extras(compare="previous-year"))
        }
        (total,) = read_answer(connection, replace(asked, by=()))
        places = read_answer(connection, replace(asked, by=("disease", "district")))
    told_of = set()
    for paragraph in paragraphs(report, "diseases"):
        assert flaws(re.sub(r"\[\d+\]", "", paragraph["text"])) == []
        said, row = read_paragraph(paragraph["text"]), rows[paragraph["disease"]]
        told_of.add(paragraph["disease"])
        assert (said.notified, said.deaths) == (row["notified"], row["deaths"])
        if said.notified:
            for counter in ("positive", "negative", "pending"):
                assert (getattr(said, counter) or 0) == row[counter]
            assert (said.imported or (row["imported"] if said.all_imported else 0)) == row["imported"]
        if row["previous_notified"] is None:
            assert (said.change, said.is_about, said.has_footnote) == (None, False, True)
        else:
            assert said.change == row["change"] or (
                said.change is None and 20 * abs(row["change"]) <= row["previous_notified"]
            )
        dead = {
            (place["district_name"] or "chưa rõ địa bàn").removeprefix("Huyện "): place["deaths"]
            for place in places
            if place["disease"] == paragraph["disease"] and place["deaths"]
        }
        lowered = {in_prose(name.removeprefix("huyện ")): count for name, count in said.death_places.items()}
        assert lowered == {in_prose(name): count for name, count in dead.items()}
    # What a syndrome's laboratory alone has found is told with the syndrome.
    assert told_of == {
        code for code, row in rows.items() if not 0 < row["notified"] == row["resolved_from_syndrome"]
    }
    (opening,) = paragraphs(report, "opening")
    assert figure_values(report, opening) == [total["notified"]] + [total["deaths"]] * (total["deaths"] > 0)


def figure_values(report: dict[str, Any], paragraph: dict[str, Any]) -> list[int]:
    values = {figure["id"]: figure["value"] for figure in report["figures"]}
    return [values[part["figure"]] for part in paragraph["parts"] if "figure" in part]


def store(url: str, catalogue: Catalogue, province: str, told: list[dict[str, Any]]) -> None:
    """Fold cases of some of a province's communes, as the structure before the reform has them."""
    parents = {area.id: area.parent_id or "" for area in catalogue.areas}
    communes = [
        area.code
        for area in catalogue.areas
        if area.kind == "commune"
        and area.valid_from is None
        and parents.get(parents[area.id], "").startswith(f"{province}@")
    ]
    events = [
        event(
            f"P{province}-{uuid4().hex[:12]}",
            uuid4().int >> 8,
            time=datetime.fromisoformat(f"{case['onset_on']}T09:00:00+07:00"),
            area_code=communes[case["commune"] * 9 % len(communes)],
            **{name: value for name, value in case.items() if name != "commune"},
        )
        for case in told
    ]
    ledger = PostgresLedger(url)
    next_offset = finish(ledger.positions([0]))[0].next_offset
    ledger_contract.fold(ledger, recorded(events, next_offset))
    ledger.close()
