# ruff: noqa: E501 (sentences are shown whole)
"""The daily report of a focus, its closing, and the reports of an outbreak: what is known is said, nothing else."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.report import load_forms
from services.report.document import Document, focus_document, outbreak_document
from services.report.writing import form_sentences, printed
from streams.domain.calendar import Period
from streams.domain.case import Case
from streams.domain.case_groups import group_cases
from streams.domain.counts import FLAG, Contribution
from streams.domain.errors import RefusedAction
from streams.domain.focus import Focus, by_day
from streams.domain.report.facts import Figure, NotCompared
from streams.domain.report.focus import (
    NUMBERS,
    FocusReportFacts,
    LinkedCases,
    Onset,
    write_focus_report,
)
from streams.domain.report.outbreak import FocusPlace, OutbreakFacts, write_outbreak_report
from streams.domain.reports import report_event
from streams.stores.focus_report import FocusHistory, FocusReport
from streams.stores.outbreak_report import OutbreakReport
from tests.builders import uuid
from tests.situations import QUERY, compared, figure, flaws, number
from tests.unit.report.test_decree_page import faults

FORMS = load_forms()
SENTENCES = form_sentences()
BLANK = FORMS["blank"]
LINE = BLANK * 4
ON = date(2026, 8, 21)

FOCUS = FocusReportFacts(
    subject="LC-OD-1",
    disease="Bệnh Sởi",
    place="bản Nà Hum",
    commune="Xã Bum Tở",
    province="Tỉnh Lai Châu",
    on=ON,
    first_onset=Onset(date(2026, 8, 12)),
    last_onset=None,
    first_reported_on=date(2026, 8, 15),
    updated_on=ON,
    before_on=date(2026, 8, 19),
    ended_on=None,
    silent_days=2,
    totals={"ill": figure(7), "dead": figure(0), "samples": figure(5), "positives": None},
    changes={"ill": figure(3), "dead": figure(0), "samples": figure(-1), "positives": None},
    linked=None,
    difference=None,
)


def focus_texts(facts: FocusReportFacts = FOCUS, is_end: bool = False) -> dict[str, list[str]]:
    sections = write_focus_report(facts, is_end, SENTENCES, FORMS["sections"], BLANK)
    found = {section.key: [paragraph.text for paragraph in section.paragraphs] for section in sections}
    assert [flaw for texts in found.values() for text in texts for flaw in flaws(text)] == []
    return found


def test_the_daily_report_of_a_focus() -> None:
    assert focus_texts() == {
        "focus": [
            "Tên bệnh: Bệnh Sởi.",
            "Địa điểm xảy ra ổ dịch: bản Nà Hum, xã Bum Tở, tỉnh Lai Châu.",
            "Ngày khởi phát trường hợp bệnh đầu tiên: 12/8/2026.",
            f"Ngày nhập cảnh, ngày đến địa phương (nếu khởi phát ở nước ngoài): {BLANK}.",
            "Ngày nhận báo cáo đầu tiên: 15/8/2026.",
        ],
        "numbers": [
            "Đến hết ngày 21/8/2026: 07 trường hợp mắc, 00 trường hợp tử vong.",
            "So với số liệu đến hết ngày 19/8/2026: thêm 03 trường hợp mắc, không thêm trường hợp tử vong.",
            "Trong hệ thống chưa có ca bệnh nào gắn với ổ dịch này.",
        ],
        "laboratory": [
            f"Đến hết ngày 21/8/2026: 05 mẫu xét nghiệm, {BLANK} (chưa có báo cáo) dương tính.",
            "So với số liệu đến hết ngày 19/8/2026: giảm 01 mẫu xét nghiệm do điều chỉnh số liệu.",
        ],
        "measures": [LINE] * 3,
        "proposals": [LINE] * 3,
    }
    # The day is over at midnight by the local clock.
    assert FOCUS.due_at.astimezone(UTC) == datetime(2026, 8, 21, 17, tzinfo=UTC)


def test_a_day_without_an_update_is_said() -> None:
    silent = replace(FOCUS, updated_on=date(2026, 8, 19), changes={})
    assert focus_texts(silent)["numbers"][1] == (
        "Ngày 21/8/2026 chưa có cập nhật, số liệu trên là của ngày 19/8/2026."
    )
    first = replace(FOCUS, first_reported_on=ON, before_on=None, changes={})
    assert focus_texts(first)["numbers"][1] == "Ngày 21/8/2026 là ngày báo cáo đầu tiên."


def test_cases_linked_to_the_focus_are_told_and_a_difference_is_not_hidden() -> None:
    linked = LinkedCases(figure(5), figure(1), figure(4), figure(2))
    texts = focus_texts(replace(FOCUS, linked=linked, difference=figure(2)))["numbers"]
    assert texts[2:] == [
        "Trong hệ thống có 05 trường hợp mắc gắn với ổ dịch này (01 trường hợp tử vong, 04 trường hợp có xét nghiệm, 02 trường hợp dương tính).",
        "Số mắc do đơn vị báo cáo và số ca bệnh gắn với ổ dịch chênh lệch 02 trường hợp.",
    ]
    assert len(focus_texts(replace(FOCUS, linked=linked))["numbers"]) == 3


def test_the_closing_report() -> None:
    ended = replace(FOCUS, ended_on=ON, last_onset=Onset(date(2026, 8, 18), is_of_cases=True), place=None)
    assert focus_texts(ended, is_end=True)["closing"] == [
        "Tên bệnh: Bệnh Sởi.",
        f"Địa điểm xảy ra ổ dịch: {BLANK}, xã Bum Tở, tỉnh Lai Châu.",
        "Ngày khởi phát trường hợp bệnh đầu tiên: 12/8/2026.",
        f"Ngày nhập cảnh, ngày đến địa phương (nếu khởi phát ở nước ngoài): {BLANK}.",
        "Ngày nhận báo cáo đầu tiên: 15/8/2026.",
        "Ngày khởi phát trường hợp bệnh cuối cùng: 18/8/2026 (theo các ca bệnh gắn với ổ dịch trong hệ thống).",
        "Ngày ổ dịch kết thúc hoạt động: 21/8/2026.",
        f"Tổng số: 07 trường hợp mắc, 00 trường hợp tử vong, 05 mẫu xét nghiệm, {BLANK} (chưa có báo cáo) dương tính.",
        "Trong hệ thống chưa có ca bệnh nào gắn với ổ dịch này.",
    ]


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(RefusedAction, match="no day of its end"):
        focus_texts(is_end=True)
    with pytest.raises(RefusedAction, match="đã kết thúc ngày 20/8/2026"):
        focus_texts(replace(FOCUS, ended_on=date(2026, 8, 20)))
    with pytest.raises(ValueError, match="in no order of time"):
        replace(FOCUS, updated_on=ON + timedelta(days=1))
    with pytest.raises(ValueError, match="-1 ill"):
        replace(FOCUS, totals={"ill": figure(-1)})


AT = datetime(2026, 8, 21, 9, tzinfo=UTC)


def stored(ill: int | None, **changes: Any) -> Focus:
    nothing: dict[str, Any] = dict.fromkeys(Focus._fields)
    return Focus(**{**nothing, "kind": "outbreak", "disease": "measles", "ill": ill, **changes})


def focus_report(is_end: bool = False) -> Document:
    facts = replace(FOCUS, ended_on=ON if is_end else None)
    history = FocusHistory("LC-OD-1", ((date(2026, 8, 19), stored(4)), (ON, stored(7, samples=5))))
    linked = [{"day": "2026-08-12", "hamlet": None, "cases": 5, "deaths": 1, "tested": 4, "positive": 2}]
    report = FocusReport(facts, "03412@x", "12@x", history, QUERY, linked, QUERY)
    sections = write_focus_report(facts, is_end, SENTENCES, FORMS["sections"], BLANK)
    return focus_document(report, sections, is_end, None, AT)


def outbreak_report() -> Document:
    report = OutbreakReport(OUTBREAK, "03412@x", "12@x", [], QUERY)
    sections = write_outbreak_report(OUTBREAK, "begin", SENTENCES, FORMS["sections"], BLANK)
    return outbreak_document(report, sections, "begin", "0190b1f6", AT)


@pytest.mark.parametrize("is_end", [False, True])
def test_the_document_of_a_focus_in_its_forms(is_end: bool) -> None:
    made = focus_report(is_end)
    assert made["kind"] == ("focus-end" if is_end else "focus")
    assert made["due_at"] == (None if is_end else "2026-08-22T00:00:00+07:00")
    assert "Số ngày chưa có cập nhật từ báo cáo đầu tiên: 02." in made["draft"]
    form = "03" if is_end else "02"
    assert f"danh mục thông tin của mẫu {form} (Quyết định 97/QĐ-PB, Phụ lục I)" in made["draft"]
    assert "bố cục không phải của mẫu chính thức" in made["draft"]
    by_day, linked = made["annexes"]
    assert by_day["rows"] == [["19/8/2026", 4, None, None, None], ["21/8/2026", 7, None, 5, None]]
    assert linked["rows"] == [["12/8/2026", "Chưa rõ", 5, 1, 4, 2]]
    assert all("query" in figure for figure in made["figures"])
    text = printed(made, "md").content.decode()
    assert text.startswith(f"*{made['draft']}*")
    assert "| 19/8/2026 | 4 | – | – | – |" in text
    file = printed(made, "docx")
    assert file.file_name == f"{made['kind']}-LC-OD-1-2026-08-15-2026-08-21.docx"
    paper = docx.Document(BytesIO(file.content))
    assert faults(paper) == []
    assert paper.tables[0].rows[0].cells[0].text.splitlines()[:2] == [
        "ỦY BAN NHÂN DÂN XÃ BUM TỞ",
        "TRẠM Y TẾ XÃ BUM TỞ",
    ]


def test_the_document_of_an_outbreak_without_a_case_has_no_table() -> None:
    made = outbreak_report()
    assert (made["kind"], made["annexes"]) == ("outbreak", [])
    assert made["subject"] == "Tình hình dịch bệnh Sởi trên địa bàn xã Bum Tở"
    assert "ban hành trước 08 giờ 00 phút ngày 21/8/2026" in made["draft"]
    assert "danh mục thông tin của mẫu 04 (Quyết định 97/QĐ-PB, Phụ lục I)" in made["draft"]
    assert faults(docx.Document(BytesIO(printed(made, "docx").content))) == []


KNOWN = st.one_of(st.none(), st.integers(0, 30_000))
WORDS = {
    "ill": "trường hợp mắc",
    "dead": "trường hợp tử vong",
    "samples": "mẫu xét nghiệm",
    "positives": "mẫu dương tính",
}


@given(
    st.fixed_dictionaries(dict.fromkeys(NUMBERS, KNOWN)),
    st.fixed_dictionaries({name: st.one_of(st.none(), st.integers(-900, 900)) for name in NUMBERS}),
)
def test_the_text_says_the_numbers_and_none_that_is_not_known(
    totals: dict[str, int | None], changes: dict[str, int | None]
) -> None:
    def figures(numbers: dict[str, int | None]) -> dict[str, Figure | None]:
        return {name: None if value is None else figure(value) for name, value in numbers.items()}

    texts = focus_texts(replace(FOCUS, totals=figures(totals), changes=figures(changes)))
    said = [*texts["numbers"], *texts["laboratory"]]
    (until, moved) = (
        " ".join(text for text in said if text.startswith(begin)) for begin in ("Đến hết", "So với")
    )
    for name, words in WORDS.items():
        found = re.search(rf"(\d[\d.]*\d) {words}", until)
        assert (None if found is None else number(found[1])) == totals[name]
        change = re.search(rf"(thêm|giảm) (\d[\d.]*\d) {words}", moved)
        if changes[name] is None:
            assert words not in moved
        elif changes[name] == 0:
            assert f"không thêm {words}" in moved
        else:
            assert change is not None
            assert number(change[2]) * (1 if change[1] == "thêm" else -1) == changes[name]


def test_a_focus_by_day_is_what_stood_at_the_end_of_it() -> None:
    first = datetime(2026, 8, 15, 1, tzinfo=UTC)
    events = [
        report_event("focus", "OD", uuid(step), int((first + later).timestamp()) * 1_000_000, data, "x")
        for step, (later, data) in enumerate(
            [
                (timedelta(0), {"kind": "outbreak", "disease": "measles", "area_code": "03412", "ill": 3}),
                (timedelta(hours=2), {"ill": 4}),
                # 17:00 UTC is midnight here: the next day.
                (timedelta(hours=16), {"ill": 5, "dead": 1}),
                (timedelta(days=3), {"ended_on": "2026-08-18"}),
            ],
            1,
        )
    ]
    assert [(day, focus.ill, focus.dead) for day, focus in by_day(reversed(events))] == [
        ("2026-08-15", 4, None),
        ("2026-08-16", 5, 1),
        ("2026-08-18", 5, 1),
    ]


def case(day: str, flags: int = 0, **registers: Any) -> Case:
    contribution = Contribution("measles", "x", day, day, None, flags | FLAG["notified"], (), ())
    return Case({name: ("0", value) for name, value in registers.items()}, contribution)


def test_cases_are_grouped_and_what_is_not_known_stands_last() -> None:
    cases = [
        case("2026-08-13", FLAG["positive"], hamlet="bản B", sex="male", age_years=3),
        case("2026-08-12", FLAG["pending"] | FLAG["deaths"], hamlet="bản B", sex="female", age_years=70),
        case("2026-08-12"),
    ]
    rows = group_cases(cases, ("hamlet",))
    assert [(row["hamlet"], row["cases"], row["tested"], row["deaths"]) for row in rows] == [
        ("bản B", 2, 2, 1),
        (None, 1, 0, 0),
    ]
    assert [row["age"] for row in group_cases(cases, ("age",))] == ["age_1_4", "age_65_up", "age_unknown"]
    assert [(row["day"], row["sex"]) for row in group_cases(cases, ("day", "sex"))] == [
        ("2026-08-12", "female"),
        ("2026-08-12", "unknown"),
        ("2026-08-13", "male"),
    ]
    assert group_cases([], ()) == []
    with pytest.raises(ValueError, match="does not count"):
        group_cases([Case()], ())


OUTBREAK = OutbreakFacts(
    disease="Bệnh Sởi",
    commune="Xã Bum Tở",
    province="Tỉnh Lai Châu",
    determined_at=datetime(2026, 8, 20, 1, tzinfo=UTC),
    ended_at=None,
    period=Period(date(2026, 8, 1), ON),
    cases=figure(7),
    deaths=figure(1),
    positive=figure(3),
    negative=figure(0),
    pending=figure(2),
    comparison=compared(7, 2, 2025),
    first_onset=date(2026, 8, 2),
    last_onset=date(2026, 8, 19),
    places=(("bản Nà Hum", figure(5)), (None, figure(2))),
    sexes=(("female", figure(4)), ("male", figure(3))),
    ages=(("age_1_4", figure(6)), ("age_unknown", figure(1))),
    foci=(FocusPlace("bản Nà Hum", None), FocusPlace("bản Phìn Hồ", date(2026, 8, 18))),
    level="outbreak",
    rule="Điều 16.1b Thông tư 15/2026/TT-BYT",
    alert_cases=figure(7),
)


def outbreak_texts(facts: OutbreakFacts = OUTBREAK, kind: Any = "begin") -> dict[str, list[str]]:
    sections = write_outbreak_report(facts, kind, SENTENCES, FORMS["sections"], BLANK)
    found = {section.key: [paragraph.text for paragraph in section.paragraphs] for section in sections}
    assert [flaw for texts in found.values() for text in texts for flaw in flaws(text)] == []
    return found


def test_the_report_of_an_outbreak_has_eight_parts_and_leaves_open_what_nobody_knows() -> None:
    texts = outbreak_texts()
    assert len(texts) == 8
    assert texts["setting"] == ["Trạm y tế xác định có dịch lúc 08 giờ 00 phút ngày 20/8/2026.", *[LINE] * 3]
    assert texts["outbreak"] == [
        "Từ ngày 1/8/2026 đến ngày 21/8/2026 trên địa bàn xã Bum Tở ghi nhận 07 trường hợp mắc, tăng 05 trường hợp so với cùng kỳ năm 2025, trong đó có 01 trường hợp tử vong.",
        "Kết quả xét nghiệm: 03 trường hợp dương tính, 02 trường hợp đang chờ kết quả xét nghiệm.",
        "Theo thời gian: trường hợp đầu tiên khởi phát ngày 2/8/2026, trường hợp gần nhất ngày 19/8/2026.",
        "Theo địa điểm: bản Nà Hum: 05; chưa rõ thôn, tổ: 02.",
        "Theo giới: nữ: 04; nam: 03.",
        "Theo nhóm tuổi: từ 01 đến 04 tuổi: 06; chưa rõ tuổi: 01.",
        "Ổ dịch tại bản Nà Hum: đang hoạt động.",
        "Ổ dịch tại bản Phìn Hồ: kết thúc ngày 18/8/2026.",
        f"Yếu tố trung gian, véc tơ truyền bệnh: {BLANK}.",
        f"Tình hình bệnh trên động vật: {BLANK}.",
    ]
    assert texts["assessment"][0] == (
        "Cảnh báo của hệ thống: Có dịch, 07 trường hợp (quy định Điều 16.1b Thông tư 15/2026/TT-BYT)."
    )
    for name in ("measures", "resources", "difficulties", "solutions", "requests"):
        assert texts[name] == [LINE] * 3


def test_the_report_of_the_end_and_what_is_not_determined() -> None:
    with pytest.raises(RefusedAction, match="alerts end"):
        outbreak_texts(kind="end")
    with pytest.raises(RefusedAction, match="alerts determine"):
        outbreak_texts(replace(OUTBREAK, determined_at=None))
    ended_at = datetime(2026, 9, 30, 1, tzinfo=UTC)
    ended = replace(OUTBREAK, ended_at=ended_at)
    assert outbreak_texts(ended, "end")["setting"][1] == (
        "Trạm y tế xác định hết dịch lúc 08 giờ 00 phút ngày 30/9/2026."
    )
    assert ended.due_at("end") == ended_at + timedelta(hours=24)


def test_an_outbreak_of_which_the_cases_are_gone() -> None:
    none = replace(
        OUTBREAK,
        **dict.fromkeys(("cases", "deaths", "positive", "pending"), figure(0)),
        comparison=NotCompared(Period(date(2025, 8, 1), date(2025, 8, 21))),
        first_onset=None,
        last_onset=None,
        places=(),
        sexes=(),
        ages=(),
        foci=(),
    )
    assert outbreak_texts(none)["outbreak"][:2] == [
        "Từ ngày 1/8/2026 đến ngày 21/8/2026 trên địa bàn xã Bum Tở ghi nhận 00 trường hợp mắc, không có trường hợp tử vong.",
        "Kết quả xét nghiệm: hệ thống chưa ghi nhận.",
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deaths": figure(8)}, "8 deaths of 7 cases"),
        ({"negative": figure(3)}, "8 results"),
        ({"places": ()}, "0 cases by place, 7 in all"),
        ({"sexes": (("male", figure(6)),)}, "6 cases by sex"),
        ({"ages": (("age_0", figure(8)),)}, "8 cases by age"),
        ({"comparison": compared(6, 2)}, "7 less 2 is not 4"),
    ],
)
def test_facts_of_an_outbreak_that_contradict_each_other_are_refused(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(OUTBREAK, **changes)
