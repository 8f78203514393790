# ruff: noqa: E501 (sentences are shown whole)
"""The document in its forms: the decree's page, whole tables, nothing lost between JSON, Markdown and DOCX."""

from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import docx
import pytest

from services.report.charts import begin_drawing, draw, draw_ahead
from services.report.document import Document, situation_document
from services.report.docx import document_docx
from services.report.markdown import cell_text, markdown
from streams.domain.report.facts import FoodPoisoning
from streams.domain.report.language import Lang
from streams.stores.situation import Situation, SituationRequest, Table, Tables
from tests.situations import disease, figure, situation, written

PNG = b"\x89PNG\r\n\x1a\n"


def row(code: str, district: str | None, cases: int, before: int | None) -> dict[str, Any]:
    return {
        "disease": code,
        "district_name": district,
        "month": "2023-07",
        "notified": cases,
        "deaths": 0,
        "previous_notified": before,
        "previous_deaths": before and 0,
        "change": None if before is None else cases - before,
        "median_5y": None if before is None else 2.5,
        "resolved_from_syndrome": 1 if code == "measles" else 0,
    }


def document(lang: Lang = "vi", stamp: str | None = "DỮ LIỆU MÔ PHỎNG") -> Document:
    food = FoodPoisoning(figure(1), figure(7), None, figure(0), ())
    facts = situation(
        disease(1_500, before=None), disease(3, 1, 2, death_places={"Huyện A & B": 1}), food_poisoning=food
    )
    by_disease = Table([row("dengue", None, 1_500, None), row("measles", None, 3, 5)], [])
    by_district = Table([row("dengue", "Huyện A & B", 1_500, None), row("measles", None, 3, 5)], [])
    labels = {"dengue": ("Bệnh Sốt xuất huyết Dengue", "Dengue"), "measles": ("Bệnh Sởi", "Measles")}
    read = Situation(facts, Tables(labels, by_disease, by_district, by_district, "month"))
    at = datetime(2024, 1, 5, 1, 15, tzinfo=UTC)
    request = SituationRequest("12", date(2023, 1, 1), date(2023, 12, 31), date(2023, 12, 31), at)
    return situation_document(read, written(facts, lang), request, lang, False, stamp)


def test_the_document_holds_the_text_and_each_figure_with_its_question() -> None:
    made = document()
    assert made["subject"] == "Tình hình bệnh truyền nhiễm từ ngày 1/1/2023 đến ngày 31/12/2023"
    assert made["as_of_text"] == "Số liệu tính đến 08 giờ 15 phút ngày 5/1/2024"
    assert [figure["id"] for figure in made["figures"]] == list(range(1, len(made["figures"]) + 1))
    assert all("query" in found or "whole" in found for found in made["figures"])
    for section in made["sections"]:
        for paragraph in section["paragraphs"]:
            parts = "".join(part if isinstance(part, str) else part["text"] for part in paragraph["parts"])
            assert parts == paragraph["text"]


def test_markdown_has_every_sentence_and_row() -> None:
    made = document()
    text = markdown(made)
    assert text.startswith("**\\*\\*\\* DỮ LIỆU MÔ PHỎNG")
    for section in made["sections"]:
        for paragraph in section["paragraphs"]:
            assert paragraph["text"] in text
    assert "| Bệnh Sốt xuất huyết Dengue | Huyện A & B | 1.500 | 0 | – | – | – | – |" in text
    assert "| Bệnh Sởi (*) | Chưa rõ | 3 | 0 | 5 | 0 | −2 | 2,5 |" in text
    assert "MÔ PHỎNG" not in markdown(document(stamp=None))


def test_the_page_is_that_of_the_decree() -> None:
    paper = docx.Document(BytesIO(document_docx(document())))
    section = paper.sections[0]
    assert section.page_width is not None
    assert section.page_height is not None
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    assert section.top_margin is not None
    assert section.left_margin is not None
    assert section.right_margin is not None
    assert 20 <= round(section.top_margin.mm) <= 25
    assert 30 <= round(section.left_margin.mm) <= 35
    assert 15 <= round(section.right_margin.mm) <= 20
    assert section.different_first_page_header_footer
    assert "PAGE" in section.header._element.xml
    assert paper.styles["Normal"].font.name == "Times New Roman"
    header = paper.tables[0].rows[0].cells
    assert header[0].text.splitlines()[:2] == ["SỞ Y TẾ TỈNH LAI CHÂU", "TRUNG TÂM KIỂM SOÁT BỆNH TẬT"]
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc" in header[1].text
    assert [p.text for p in section.first_page_footer.paragraphs] == ["*** DỮ LIỆU MÔ PHỎNG ***"]
    text = "\n".join(paragraph.text for paragraph in paper.paragraphs)
    assert "Bệnh Sốt xuất huyết Dengue: Lũy tích giám sát phát hiện 1.500 trường hợp mắc" in text
    annexes = [[cell.text for cell in table.rows[1].cells] for table in paper.tables[-2:]]
    assert annexes[1][:3] == ["Bệnh Sốt xuất huyết Dengue", "Huyện A & B", "1.500"]
    assert len(paper.inline_shapes) == 3


def test_in_english() -> None:
    made = document("en", None)
    assert made["subject"] == "Situation of communicable diseases from 1 January 2023 to 31 December 2023"
    assert (
        "SOCIALIST REPUBLIC OF VIET NAM"
        in docx.Document(BytesIO(document_docx(made))).tables[0].rows[0].cells[1].text
    )
    assert "1,500 cases" in markdown(made)


def test_charts_are_pictures_of_the_rows() -> None:
    charts = {chart["key"]: chart for chart in document()["charts"]}
    assert charts["time"]["data"] == [
        {"time": "2023-07", "series": "Bệnh Sốt xuất huyết Dengue", "cases": 1_500},
        {"time": "2023-07", "series": "Bệnh Sởi", "cases": 2},
    ]
    # Nothing is drawn beside a period that is not known.
    assert [found["name"] for found in charts["disease"]["data"]] == ["Bệnh Sởi", "Bệnh Sởi"]
    pictures = draw(list(charts.values()), "vi").pictures()
    assert len(set(pictures)) == len(charts) == 3
    assert all(picture.startswith(PNG) for picture in pictures)


def test_a_chart_that_cannot_be_drawn_is_an_error_and_the_next_one_is_drawn() -> None:
    with pytest.raises(RuntimeError, match="the charts were not drawn"):
        begin_drawing().draw([{"mark": 3}]).pictures()
    (picture,) = draw([{"key": "district", "data": [{"name": "A", "cases": 3}]}], "en").pictures()
    assert picture.startswith(PNG)


def test_what_is_drawn_ahead_is_handed_out_once_and_to_nobody_else() -> None:
    charts = [{"key": "district", "data": [{"name": "A", "cases": 3}]}]
    others = [{"key": "district", "data": [{"name": "A", "cases": 4}]}]
    ahead = draw_ahead(charts, "vi")
    assert draw(others, "vi") is not ahead
    assert draw(charts, "en") is not ahead
    assert draw(charts, "vi") is ahead
    again = draw(charts, "vi")
    assert again is not ahead
    assert again.pictures() == ahead.pictures()


@pytest.mark.parametrize(
    ("value", "lang", "text"),
    [(None, "vi", "–"), (1_971, "vi", "1.971"), (-3, "vi", "−3"), (2.5, "vi", "2,5"), (4.0, "vi", "4"), (1_971, "en", "1,971"), ("Xã A", "vi", "Xã A")],
)  # fmt: skip
def test_cells(value: Any, lang: str, text: str) -> None:
    assert cell_text(value, lang) == text
