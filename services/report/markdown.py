"""A report's document as Markdown."""

from collections.abc import Iterator
from typing import Any, Final

from services.report.document import Document

NAME_COLUMNS: Final = frozenset({"disease", "district", "day", "hamlet"})
"""Columns of an annex that are no figures."""


def markdown(document: Document) -> str:
    """The text of a report with its annexes; charts are in the DOCX only."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    if document["stamp"] is not None:
        yield f"**\\*\\*\\* {document['stamp']} \\*\\*\\***\n"
    if document.get("draft") is not None:
        yield f"*{document['draft']}*\n"
    yield f"# {document['title']}: {document['subject']}\n"
    yield f"{document['issuer']['superior']}, {document['issuer']['name']}. {document['as_of_text']}.\n"
    for number, section in enumerate(document["sections"], 1):
        if len(document["sections"]) > 1:
            yield f"## {number}. {section['title']}\n"
        for paragraph in section["paragraphs"]:
            yield f"- {paragraph['text']}" if paragraph["is_item"] else f"{paragraph['text']}\n"
        if section["paragraphs"][-1]["is_item"]:
            yield ""
    for note in document["footnotes"]:
        yield f"[{note['number']}] {note['text']}\n"
    for annex in document["annexes"]:
        yield f"## {annex['title']}\n"
        yield "| " + " | ".join(column["title"] for column in annex["columns"]) + " |"
        yield "|" + "".join(
            " --- |" if column["key"] in NAME_COLUMNS else " ---: |" for column in annex["columns"]
        )
        for row in annex["rows"]:
            yield "| " + " | ".join(cell_text(cell, document["lang"]) for cell in row) + " |"
        yield ""
        if annex["note"] is not None:
            yield f"{annex['note']}\n"


def cell_text(value: Any, lang: str) -> str:
    """A cell of an annex: thousands as the language has them, a dash where a figure is not known."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    # A median may be half a case.
    text = f"{value:,.1f}".removesuffix(".0").replace("-", "−")
    return text.translate(str.maketrans(",.", ".,")) if lang == "vi" else text
