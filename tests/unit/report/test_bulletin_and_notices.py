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
    # Word for word TT 15/2026/TT-BYT, Phụ lục II, Mẫu số 01, up to the colon of each item.
    assert (notice.title, notice.subject) == ("THÔNG TIN", "Về việc có dịch bệnh trên địa bàn")
    assert notice.paragraphs[:6] == (
        "Căn cứ Thông tư số 15/2026/TT-BYT ngày 17 tháng 5 năm 2026 của Bộ trưởng Bộ Y tế quy định chi tiết một số điều của Luật Phòng bệnh;",
        "Căn cứ diễn biến thực tế tình hình dịch bệnh trên địa bàn cấp xã;",
        "Trạm Y tế xã Bum Tở thông tin trên địa bàn xã Bum Tở, tỉnh Lai Châu có dịch bệnh như sau:",
        "1. Tên dịch bệnh: Bệnh Sởi.",
        "2. Thời gian xác định có dịch bệnh: 08 giờ 00 phút ngày 20/8/2026.",
        "3. Địa điểm có ổ dịch: bản Nà Hum; bản Phìn Hồ.",
    )
    assert notice.paragraphs[6].startswith("4. Các khuyến nghị phòng, chống dịch bệnh: ")
    assert "trước 08 giờ 00 phút ngày 21/8/2026 (24 giờ" in notice.draft
    # For who signs: the form has no number of cases.
    assert "Số ca tính từ ngày 1/8/2026 đến ngày 31/8/2026: 07 trường hợp." in notice.draft


def test_the_notice_of_the_end() -> None:
    ended = replace(NOTICE, ended_at=DETERMINED + timedelta(days=41), foci=())
    notice = write_notice(ended, "end", load_notices())
    assert notice.due_at == DETERMINED + timedelta(days=42)
    assert (notice.title, notice.subject) == ("THÔNG TIN", "Về việc kết thúc dịch bệnh trên địa bàn")
    # The number and the day of the notice of the beginning are the station's: left open.
    assert "tại văn bản số ........ ngày ...... tháng ...... năm ......" in notice.paragraphs[1]
    assert notice.paragraphs[3:6] == (
        "Trạm Y tế xã Bum Tở thông tin kết thúc dịch bệnh trên địa bàn xã Bum Tở, tỉnh Lai Châu như sau:",
        "1. Tên dịch bệnh: Bệnh Sởi.",
        "2. Thời gian hết tình trạng dịch bệnh: 08 giờ 00 phút ngày 30/9/2026.",
    )
    assert notice.paragraphs[6].startswith("3. Các khuyến nghị: ")
    assert "Điều 26.1c" in notice.draft


def test_nobody_has_reported_where_the_foci_are() -> None:
    notice = write_notice(replace(NOTICE, foci=()), "begin", load_notices())
    assert notice.paragraphs[5] == "3. Địa điểm có ổ dịch: ........................................."


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
    assert left.text.splitlines()[-1] == "Số:          /          "
    assert "Bum Tở, ngày      tháng      năm 2026" in right.text
    recipients = paper.tables[1].rows[0].cells[0].text
    for recipient in (
        "Chủ tịch Ủy ban nhân dân xã Bum Tở",
        "Sở Y tế tỉnh Lai Châu",
        "TTKSBT tỉnh Lai Châu",
        "lực lượng chuyên trách",
    ):
        assert recipient in recipients
    signs = paper.tables[1].rows[0].cells[1].text
    assert signs.splitlines()[:2] == ["GIÁM ĐỐC", "(Ký, ghi rõ họ tên và đóng dấu)"]
    said = "\n".join(paragraph.text for paragraph in paper.paragraphs)
    assert "DỰ THẢO" in said
    assert "1. Tên dịch bệnh: Bệnh Sởi." in said
    assert all(paragraph.text == "" for paragraph in paper.sections[0].footer.paragraphs)


def test_the_year_of_a_notice_is_that_of_the_local_clock() -> None:
    new_year = replace(NOTICE, determined_at=datetime(2026, 12, 30, 18, 0, tzinfo=UTC))
    paper = docx.Document(
        BytesIO(notice_docx(write_notice(new_year, "begin", load_notices()), new_year, None))
    )
    assert "năm 2027" in paper.tables[0].rows[0].cells[1].text
