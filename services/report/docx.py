"""Documents as DOCX, laid out as Vietnamese administrative documents are.

Source:
    Nghị định 30/2020/NĐ-CP, Phụ lục I: A4; margins 20 to 25 mm above and below, 30 to 35 mm left, 15 to 20 mm
    right; Times New Roman, 13 to 14 points; national header on the right, issuing office on the left; pages
    numbered above, but the first.
"""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

import docx
from docx.document import Document as Docx
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Cm, Length, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from services.report.charts import draw
from services.report.document import Document, station_of
from services.report.markdown import NAME_COLUMNS, cell_text
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.report.notice import Notice, NoticeFacts

_FONT: Final = "Times New Roman"
_BODY: Final = Pt(14)
_CENTRE, _JUSTIFY = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY
_STATE: Final = {
    "vi": ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"),
    "en": ("SOCIALIST REPUBLIC OF VIET NAM", "Independence - Freedom - Happiness"),
}
_NUMBER: Final = {"vi": "Số:          /", "en": "No.          /"}
_DATE: Final = {
    "vi": "{place}, ngày      tháng      năm {year}",
    "en": "{place}, date            {year}",
}
_NO_REFERENCE: Final = " " * 10
_RECIPIENTS: Final = {"vi": "Nơi nhận:", "en": "Recipients:"}
_REFERENCES: Final = {"situation": "BC-TTKSBT", "bulletin": "BC-TTKSBT"}
"""Behind the number, by kind of document; the forms of a station's reports are numbered as it does it."""


def document_docx(document: Document) -> bytes:
    """A report: header, text, charts, signature, annexes."""
    charts = document["charts"]
    # Drawn beside all that follows; the pictures come into their places last.
    drawing = draw(charts, document["lang"]) if charts else None
    paper = new_paper(document["stamp"], document["lang"])
    lang = document["lang"]
    if (draft := document.get("draft")) is not None:
        text(paper, draft, italic=True, size=Pt(12))
    header(
        paper,
        document["issuer"],
        lang,
        number=_REFERENCES.get(document["kind"], _NO_REFERENCE),
        place=document["issuer"]["place"],
        year=_year(datetime.fromisoformat(document["read_at"])),
    )
    title(paper, document["title"], document["subject"])
    text(paper, document["as_of_text"] + ".", italic=True)
    places: list[Run] = []
    for number, section in enumerate(document["sections"], 1):
        if len(document["sections"]) > 1:
            heading(paper, f"{number}. {section['title']}")
        for paragraph in section["paragraphs"]:
            _written(paper, paragraph)
        if section["key"] == "diseases":
            places = [_chart(paper, chart) for chart in charts]
    for note in document["footnotes"]:
        said = text(paper, "", size=Pt(12))
        _run(said, str(note["number"]), size=Pt(12)).font.superscript = True
        _run(said, f" {note['text']}", size=Pt(12))
    signature(paper, document["issuer"], lang)
    tables = [_table(annex, lang) for annex in document["annexes"]]
    if drawing is not None and places:
        for place, picture in zip(places, drawing.pictures(), strict=True):
            place.add_picture(BytesIO(picture), width=Cm(16))
    # After the pictures: for each, python-docx looks through all that stands on the paper.
    for annex, table in zip(document["annexes"], tables, strict=True):
        _annex(paper, annex, table)
    return as_bytes(paper)


def notice_docx(notice: Notice, facts: NoticeFacts, stamp: str | None) -> bytes:
    """A commune's notice, its number, date and signature left empty."""
    paper = new_paper(stamp, "vi")
    issuer = station_of(facts.place, facts.province)
    text(paper, notice.draft, italic=True, size=Pt(12))
    header(
        paper,
        issuer,
        "vi",
        number=_NO_REFERENCE,
        place=issuer["place"],
        year=_year(notice.due_at),
    )
    title(paper, notice.title, notice.subject)
    for paragraph in notice.paragraphs:
        text(paper, paragraph)
    signature(paper, issuer, "vi")
    return as_bytes(paper)


def _year(at: datetime) -> str:
    """By the local clock."""
    return str(at.astimezone(LOCAL_ZONE).year)


# The page ------------------------------------------------------------------------------------------------


def new_paper(stamp: str | None, lang: str) -> Docx:
    """An empty A4 document with the margins, the font and the page numbers of the decree."""
    paper = docx.Document()
    section = paper.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin = section.bottom_margin = Cm(2)
    section.left_margin, section.right_margin = Cm(3), Cm(1.5)
    section.header_distance = Cm(1)
    normal = paper.styles["Normal"]
    normal.font.name, normal.font.size = _FONT, _BODY
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), _FONT)
    fonts.set(qn("w:cs"), _FONT)
    language = parse_xml(f'<w:lang {nsdecls("w")} w:val="{"vi-VN" if lang == "vi" else "en-GB"}"/>')
    normal.element.get_or_add_rPr().append(language)
    section.different_first_page_header_footer = True
    above = section.header.paragraphs[0]
    above.alignment = _CENTRE
    _field(above, "PAGE")
    if stamp is not None:
        for footer in (section.footer, section.first_page_footer):
            below = footer.paragraphs[0]
            below.alignment = _CENTRE
            _run(below, f"*** {stamp} ***", bold=True, size=Pt(12))
    return paper


def as_bytes(paper: Docx) -> bytes:
    """The file."""
    file = BytesIO()
    paper.save(file)
    return file.getvalue()


def header(paper: Docx, issuer: Document, lang: str, *, number: str, place: str, year: str) -> None:
    """The national header on the right, the issuing office with its superior and the number on the left."""
    left, right = _two_columns(paper, Cm(7.6), Cm(9.1))
    _centred(left, issuer["superior"], Pt(12), first=True)
    _centred(left, issuer["name"], Pt(12), bold=True)
    _rule(left, Cm(2.2))
    _centred(left, _NUMBER[lang] + number, Pt(13))
    state, motto = _STATE[lang]
    _centred(right, state, Pt(12), bold=True, first=True)
    _centred(right, motto, Pt(13), bold=True)
    _rule(right, Cm(1.9))
    _centred(right, _DATE[lang].format(place=place, year=year), Pt(13), italic=True)


def title(paper: Docx, kind: str, subject: str) -> None:
    """What kind of document it is, and about what."""
    first = _body(paper, kind, _CENTRE, bold=True)
    first.paragraph_format.space_before = Pt(18)
    second = _body(paper, subject, _CENTRE, bold=True)
    second.paragraph_format.space_after = Pt(0)
    line = paper.add_paragraph()
    _border(line, Cm(5.5))


def heading(paper: Docx, said: str) -> Paragraph:
    """The heading of a section."""
    paragraph = _body(paper, said, _JUSTIFY, bold=True)
    paragraph.paragraph_format.first_line_indent = Cm(1)
    paragraph.paragraph_format.keep_with_next = True
    return paragraph


def text(paper: Docx, said: str, *, italic: bool = False, size: Pt = _BODY) -> Paragraph:
    """A paragraph of the body."""
    paragraph = _body(paper, said, _JUSTIFY, italic=italic, size=size)
    paragraph.paragraph_format.first_line_indent = Cm(1)
    return paragraph


def signature(paper: Docx, issuer: Document, lang: str) -> None:
    """Recipients on the left; who signs on the right, with room for the signature."""
    left, right = _two_columns(paper, Cm(8), Cm(8.5))
    paragraph = left.paragraphs[0]
    paragraph.paragraph_format.space_before = Pt(12)
    _run(paragraph, _RECIPIENTS[lang], bold=True, italic=True, size=Pt(12))
    for number, recipient in enumerate(issuer["recipients"], 1):
        line = left.add_paragraph()
        line.paragraph_format.space_after = Pt(0)
        _run(line, f"- {recipient}{'.' if number == len(issuer['recipients']) else ';'}", size=Pt(11))
    signs = right.paragraphs[0]
    signs.paragraph_format.space_before = Pt(12)
    signs.alignment = _CENTRE
    _run(signs, issuer["signs"], bold=True)
    if "how" in issuer:
        how = right.add_paragraph()
        how.alignment = _CENTRE
        _run(how, issuer["how"], italic=True, size=Pt(12))
    for _ in range(4):
        right.add_paragraph()


def _two_columns(paper: Docx, left: Length, right: Length) -> tuple[_Cell, _Cell]:
    table = paper.add_table(1, 2)
    table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.CENTER
    # Each side's longest line takes all of its column: no room for the usual margins of cells.
    table._tbl.tblPr.append(
        parse_xml(
            f'<w:tblCellMar {nsdecls("w")}><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/>'
            "</w:tblCellMar>"
        )
    )
    # Word reads the widths of the cells, LibreOffice those of the columns.
    for column, width in zip(table.columns, (left, right), strict=True):
        column.width = width
    cells = table.rows[0].cells
    cells[0].width, cells[1].width = left, right
    return cells[0], cells[1]


# Parts ---------------------------------------------------------------------------------------------------


def _written(paper: Docx, paragraph: Document) -> None:
    said = text(paper, "")
    # A run each takes python-docx as long as all the rest: one for all between two footnotes.
    waiting = "- " if paragraph["is_item"] else ""
    for part in paragraph["parts"]:
        if isinstance(part, str):
            waiting += part
        elif "footnote" in part:
            if waiting:
                _run(said, waiting)
            waiting = ""
            _run(said, str(part["footnote"])).font.superscript = True
        else:
            waiting += part["text"]
    if waiting:
        _run(said, waiting)


def _chart(paper: Docx, chart: Document) -> Run:
    """The place of a chart's picture, above its caption."""
    picture = paper.add_paragraph()
    picture.alignment = _CENTRE
    picture.paragraph_format.space_before = Pt(6)
    picture.paragraph_format.keep_with_next = True
    place = picture.add_run()
    caption = _body(paper, chart["caption"], _CENTRE, italic=True, size=Pt(13))
    caption.paragraph_format.space_after = Pt(10)
    return place


def _annex(paper: Docx, annex: Document, table: BaseOxmlElement) -> None:
    start = _body(paper, "", _CENTRE)
    start.add_run().add_break(WD_BREAK.PAGE)
    _run(start, annex["title"], bold=True)
    start._p.addnext(table)
    # The body of a document ends with a paragraph.
    after = paper.add_paragraph()
    after.paragraph_format.space_after = Pt(0)
    if annex["note"] is not None:
        _run(after, annex["note"], size=Pt(12))


def _table(annex: Document, lang: str) -> BaseOxmlElement:
    keys = [column["key"] for column in annex["columns"]]
    names = [key in NAME_COLUMNS for key in keys]
    # Names take what the numbers leave of 16.5 cm.
    name_width = int((16.5 - _NUMBER_CM * names.count(False)) / names.count(True) * 567)
    widths = [name_width if is_name else int(_NUMBER_CM * 567) for is_name in names]
    rows = [_row([column["title"] for column in annex["columns"]], names, is_head=True)]
    rows += [_row([cell_text(cell, lang) for cell in row], names) for row in annex["rows"]]
    # Cell by cell, python-docx needs minutes for a thousand rows.
    return parse_xml(
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f'<w:tblBorders>{_BORDERS}</w:tblBorders><w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:left w:w="68" w:type="dxa"/><w:right w:w="68" w:type="dxa"/></w:tblCellMar>'
        "</w:tblPr>"
        f'<w:tblGrid>{"".join(f"""<w:gridCol w:w="{width}"/>""" for width in widths)}</w:tblGrid>'
        f"{''.join(rows)}</w:tbl>"
    )


_NUMBER_CM: Final = 1.55
"""Of a column of numbers: its heading's longest word; "Huyện Mường Tè" is left one line."""
_BORDERS: Final = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)


def _row(cells: Sequence[str], names: Sequence[bool], *, is_head: bool = False) -> str:
    properties = "<w:trPr><w:cantSplit/>" + ("<w:tblHeader/>" if is_head else "") + "</w:trPr>"
    said = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="0" w:type="auto"/><w:vAlign w:val="center"/></w:tcPr><w:p><w:pPr>'
        f'<w:spacing w:before="20" w:after="20"/>'
        f'<w:jc w:val="{"center" if is_head else "left" if is_name else "right"}"/></w:pPr>'
        f'<w:r><w:rPr>{"<w:b/>" if is_head else ""}<w:sz w:val="22"/><w:szCs w:val="22"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(cell)}</w:t></w:r></w:p></w:tc>'
        for cell, is_name in zip(cells, names, strict=True)
    )
    return f"<w:tr>{properties}{said}</w:tr>"


def _body(
    paper: Docx,
    said: str,
    alignment: WD_ALIGN_PARAGRAPH,
    *,
    bold: bool = False,
    italic: bool = False,
    size: Pt = _BODY,
) -> Paragraph:
    paragraph = paper.add_paragraph()
    paragraph.alignment = alignment
    paragraph.paragraph_format.space_after = Pt(6)
    paragraph.paragraph_format.line_spacing = 1.15
    if said:
        _run(paragraph, said, bold=bold, italic=italic, size=size)
    return paragraph


def _run(
    paragraph: Paragraph, said: str, *, bold: bool = False, italic: bool = False, size: Pt = _BODY
) -> Any:
    run = paragraph.add_run(said)
    run.bold, run.italic, run.font.size = bold, italic, size
    return run


def _centred(
    cell: _Cell, said: str, size: Pt, *, bold: bool = False, italic: bool = False, first: bool = False
) -> None:
    paragraph = cell.paragraphs[0] if first else cell.add_paragraph()
    paragraph.alignment = _CENTRE
    paragraph.paragraph_format.space_after = Pt(0)
    _run(paragraph, said, bold=bold, italic=italic, size=size)


def _rule(cell: _Cell, indent: Cm) -> None:
    line = cell.add_paragraph()
    _border(line, indent)


def _border(paragraph: Paragraph, indent: Cm) -> None:
    """A thin line below what stands above it, shorter than the column by `indent` on each side."""
    shape = paragraph.paragraph_format
    shape.left_indent = shape.right_indent = indent
    shape.space_before, shape.space_after, shape.line_spacing = Pt(0), Pt(6), Pt(3)
    properties = paragraph._p.get_or_add_pPr()
    properties.append(
        parse_xml(
            f'<w:pBdr {nsdecls("w")}><w:top w:val="single" w:sz="6" w:space="1" w:color="000000"/></w:pBdr>'
        )
    )


def _field(paragraph: Paragraph, instruction: str) -> None:
    """A field that the word processor fills in, e.g. the page's number."""
    for kind in ("begin", None, "end"):
        run = paragraph.add_run()
        run.font.size = Pt(13)
        inner = (
            f'<w:instrText {nsdecls("w")} xml:space="preserve">{instruction}</w:instrText>'
            if kind is None
            else f'<w:fldChar {nsdecls("w")} w:fldCharType="{kind}"/>'
        )
        run._r.append(parse_xml(inner))
