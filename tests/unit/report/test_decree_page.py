"""The page of Nghị định 30/2020/NĐ-CP, Phụ lục I, read from the files that are written."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import docx
import pytest
from docx.document import Document as Docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from schemas.report import load_notices
from services.report.docx import document_docx, notice_docx
from streams.domain.report.notice import write_notice
from tests.unit.report.test_bulletin_and_notices import NOTICE
from tests.unit.report.test_documents import document


def situation() -> Docx:
    return docx.Document(BytesIO(document_docx(document())))


def notice() -> Docx:
    written = write_notice(NOTICE, "begin", load_notices())
    return docx.Document(BytesIO(notice_docx(written, NOTICE, None)))


def size(paragraph: Paragraph) -> float | None:
    """Of its first run, in points."""
    found = paragraph.runs[0].font.size if paragraph.runs else None
    return None if found is None else found.pt


def line(cell: _Cell, text: str) -> Paragraph:
    (found,) = [paragraph for paragraph in cell.paragraphs if paragraph.text.startswith(text)]
    return found


def faults(paper: Docx) -> list[str]:
    """What the decree does not allow, one sentence each."""
    found = []
    page = paper.sections[0]
    margins: dict[str, tuple[Any, int, int]] = {
        "top": (page.top_margin, 20, 25),
        "bottom": (page.bottom_margin, 20, 25),
        "left": (page.left_margin, 30, 35),
        "right": (page.right_margin, 15, 20),
    }
    found += [
        # A file has twips, of which 15 mm is no whole number.
        f"margin: {name}"
        for name, (value, low, high) in margins.items()
        if not low <= round(value.mm, 1) <= high
    ]
    if (round(page.page_width.mm), round(page.page_height.mm)) != (210, 297):  # type: ignore[union-attr]
        found.append("page: not A4 upright")
    if not page.different_first_page_header_footer or "PAGE" not in page.header._element.xml:
        found.append("page: numbered above, but the first")
    fonts = paper.styles["Normal"].element.rPr.rFonts
    if {fonts.get(qn(f"w:{kind}")) for kind in ("ascii", "hAnsi", "eastAsia", "cs")} != {"Times New Roman"}:
        found.append("font: not Times New Roman")
    left, right = paper.tables[0].rows[0].cells
    state, motto = line(right, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"), line(right, "Độc lập")
    found += [
        f"header: {paragraph.text} is not bold" for paragraph in (state, motto) if not paragraph.runs[0].bold
    ]
    if not 12 <= (size(state) or 0) <= 13 or not 13 <= (size(motto) or 0) <= 14:
        found.append("header: size of the state's name or of its motto")
    if motto.text != "Độc lập - Tự do - Hạnh phúc":
        found.append("header: the motto")
    issued = line(right, right.paragraphs[-1].text)
    if (
        not issued.runs[0].italic
        or not 13 <= (size(issued) or 0) <= 14
        or "ngày      tháng" not in issued.text
    ):
        found.append("header: place and day, in italics, the day open")
    superior, office = left.paragraphs[:2]
    if superior.runs[0].bold or not office.runs[0].bold or superior.text != superior.text.upper():
        found.append("header: the superior in plain capitals, the office in bold ones")
    if not line(left, "Số:").text.startswith("Số:          /"):
        found.append("header: the number, open")
    recipients, signs = paper.tables[1].rows[0].cells
    if not recipients.paragraphs[0].runs[0].italic or size(recipients.paragraphs[0]) != 12:
        found.append("recipients: Nơi nhận: in bold italics of 12 points")
    if any(size(paragraph) != 11 for paragraph in recipients.paragraphs[1:]):
        found.append("recipients: of 11 points")
    if not signs.paragraphs[0].runs[0].bold or not 13 <= (size(signs.paragraphs[0]) or 0) <= 14:
        found.append("signature: who signs, in bold")
    for paragraph in paper.paragraphs:
        if paragraph.alignment == WD_ALIGN_PARAGRAPH.JUSTIFY and paragraph.text:
            if not 12 <= (size(paragraph) or 0) <= 14:
                found.append(f"text: {size(paragraph)} points: {paragraph.text[:30]}")
            indent = paragraph.paragraph_format.first_line_indent
            if indent is None or not 10 <= indent.mm <= 12.7:
                found.append(f"text: begins without an indent of 1 or 1.27 cm: {paragraph.text[:30]}")
    return found


@pytest.mark.parametrize("make", [situation, notice])
def test_the_page_is_that_of_the_decree(make: Callable[[], Docx]) -> None:
    assert faults(make()) == []


def _narrow(paper: Docx) -> None:
    paper.sections[0].left_margin = Mm(25)


def _landscape(paper: Docx) -> None:
    paper.sections[0].page_width = Mm(297)


def _other_font(paper: Docx) -> None:
    paper.styles["Normal"].element.rPr.rFonts.set(qn("w:ascii"), "Arial")


def _plain_motto(paper: Docx) -> None:
    line(paper.tables[0].rows[0].cells[1], "Độc lập").runs[0].bold = False


def _numbered(paper: Docx) -> None:
    line(paper.tables[0].rows[0].cells[0], "Số:").runs[0].text = "Số: 12/BC-TTKSBT"


def _small(paper: Docx) -> None:
    for paragraph in paper.paragraphs:
        if paragraph.alignment == WD_ALIGN_PARAGRAPH.JUSTIFY and paragraph.runs:
            paragraph.runs[0].font.size = Mm(3)


def _first_page(paper: Docx) -> None:
    paper.sections[0].different_first_page_header_footer = False


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_narrow, "margin: left"),
        (_landscape, "page: not A4 upright"),
        (_other_font, "font: not Times New Roman"),
        (_plain_motto, "header: Độc lập - Tự do - Hạnh phúc is not bold"),
        (_numbered, "header: the number, open"),
        (_small, "text: "),
        (_first_page, "page: numbered above, but the first"),
    ],
)
def test_a_page_that_the_decree_does_not_allow_is_refused(spoil: Callable[[Docx], None], fault: str) -> None:
    paper = notice()
    spoil(paper)
    assert any(found.startswith(fault) for found in faults(paper))
