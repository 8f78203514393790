# ruff: noqa: E501 (sentences are shown whole)
"""The weekly bulletin's lines, and the notices that a commune's station signs."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import docx
import pytest

from schemas.report import load_notices
from services.report.docx import notice_docx
from streams.domain.calendar import Period
from streams.domain.errors import RefusedAction
from streams.domain.report.bulletin import BulletinFacts, BulletinLine, write_bulletin
from streams.domain.report.facts import Place
from streams.domain.report.notice import NoticeFacts, NoticeKind, write_notice
from tests.situations import EN, VI, figure, flaws

WEEK = Period(date(2023, 7, 3), date(2023, 7, 9))


def line(week: int = 2, year: int = 38, deaths: int = 0, *places: Place) -> BulletinLine:
    return BulletinLine(
        "rabies", "Bệnh Dại", "Rabies", figure(week), figure(0), figure(year), figure(deaths), places
    )


def facts(*lines: BulletinLine, cases: int = 2, deaths: int = 0) -> BulletinFacts:
    return BulletinFacts("Tỉnh Lai Châu", WEEK, figure(cases), figure(deaths), lines)


def texts(given: BulletinFacts) -> list[str]:
    found = [paragraph.text for paragraph in write_bulletin(given, VI)]
    assert [flaw for text in found for flaw in flaws(text)] == []
    return found


def test_a_week() -> None:
    dead = (Place("Huyện Mường Tè", figure(1)), Place("Huyện Nậm Nhùn", figure(1)))
    assert texts(facts(line(), line(0, 2, 2, *dead), line(1, 3, 1, Place(None, figure(1))))) == [
        "Trong tuần 27/2023 (từ ngày 3/7/2023 đến ngày 9/7/2023) trên địa bàn tỉnh Lai Châu giám sát phát hiện 02 trường hợp mắc các bệnh truyền nhiễm, không có trường hợp tử vong.",
        "Tính từ đầu năm đến ngày 9/7/2023:",
        "Bệnh Dại: trong tuần 02 ca, lũy tích 38 ca.",
        "Bệnh Dại: trong tuần không ghi nhận ca mắc, lũy tích 02 ca (02 ca tử vong tại huyện Mường Tè và huyện Nậm Nhùn).",
        "Bệnh Dại: trong tuần 01 ca, lũy tích 03 ca (01 ca tử vong).",
    ]


def test_a_week_without_cases_and_one_with_deaths() -> None:
    (opening,) = texts(facts(cases=0))
    assert opening.endswith("tỉnh Lai Châu không ghi nhận trường hợp mắc bệnh truyền nhiễm nào.")
    assert texts(facts(cases=3, deaths=1))[0].endswith(", trong đó có 01 trường hợp tử vong.")
    assert [p.text for p in write_bulletin(facts(line(0)), EN)][
        -1
    ] == "Rabies: none in the week, 38 cases in the year."


def test_contradictions_are_refused() -> None:
    with pytest.raises(ValueError, match="1 deaths by place, 2 in all"):
        line(2, 38, 2, Place("Huyện A", figure(1)))
    with pytest.raises(ValueError, match="more deaths than cases"):
        line(0, 1, 2)


DETERMINED = datetime(2026, 8, 20, 1, 0, tzinfo=UTC)
NOTICE = NoticeFacts(
    "Bệnh Sởi",
    "Xã Bum Tở",
    "Tỉnh Lai Châu",
    DETERMINED,
    None,
    Period(date(2026, 8, 1), date(2026, 8, 31)),
    7,
    ("bản Nà Hum", "bản Phìn Hồ"),
)


def test_the_notice_of_an_outbreak() -> None:
    notice = write_notice(NOTICE, "begin", load_notices())
    assert notice.due_at == DETERMINED + timedelta(hours=24)
    assert notice.subject == "Về việc có dịch Bệnh Sởi trên địa bàn xã Bum Tở"
    assert notice.paragraphs[2:5] == (
        "1. Tên dịch bệnh: Bệnh Sởi.",
        "2. Thời gian: trạm y tế xác định có dịch lúc 08 giờ 00 phút ngày 20/8/2026. Số ca tính từ ngày 1/8/2026 đến ngày 31/8/2026: 07 trường hợp.",
        "3. Địa điểm có ổ dịch: bản Nà Hum; bản Phìn Hồ.",
    )
    assert "trước 08 giờ 00 phút ngày 21/8/2026 (24 giờ" in notice.draft


def test_the_notice_of_the_end() -> None:
    ended = replace(NOTICE, ended_at=DETERMINED + timedelta(days=41), foci=())
    notice = write_notice(ended, "end", load_notices())
    assert notice.due_at == DETERMINED + timedelta(days=42)
    assert "trạm y tế xác định kết thúc lúc 08 giờ 00 phút ngày 30/9/2026." in notice.paragraphs[3]
    # Nobody has reported where: the station writes it.
    assert "....." in notice.paragraphs[4]


@pytest.mark.parametrize(
    ("given", "kind", "reason"),
    [
        (replace(NOTICE, determined_at=None), "begin", "alerts determine"),
        (replace(NOTICE, determined_at=None), "end", "alerts determine"),
        (NOTICE, "end", "alerts end"),
    ],
)
def test_nothing_is_announced_that_the_station_has_not_determined(
    given: NoticeFacts, kind: NoticeKind, reason: str
) -> None:
    with pytest.raises(RefusedAction, match=reason):
        write_notice(given, kind, load_notices())


def test_the_notice_as_docx() -> None:
    paper = docx.Document(BytesIO(notice_docx(write_notice(NOTICE, "begin", load_notices()), NOTICE, None)))
    left, right = paper.tables[0].rows[0].cells
    assert left.text.splitlines()[:2] == ["ỦY BAN NHÂN DÂN XÃ BUM TỞ", "TRẠM Y TẾ XÃ BUM TỞ"]
    assert "Số:          /TB-TYT" in left.text
    assert "Bum Tở, ngày      tháng      năm 2026" in right.text
    recipients = paper.tables[1].rows[0].cells[0].text
    for recipient in ("Chủ tịch UBND Xã Bum Tở", "Sở Y tế", "Trung tâm Kiểm soát bệnh tật tỉnh Lai Châu"):
        assert recipient in recipients
    said = "\n".join(paragraph.text for paragraph in paper.paragraphs)
    assert "DỰ THẢO" in said
    assert "1. Tên dịch bệnh: Bệnh Sởi." in said
    assert all(paragraph.text == "" for paragraph in paper.sections[0].footer.paragraphs)
