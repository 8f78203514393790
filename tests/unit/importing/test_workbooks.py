"""Workbooks that would fill the memory are refused before anything holds them; sound ones are read."""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.importing import workbooks
from services.importing.readers import FileProblem, InputFile, read_tables
from services.importing.workbooks import UnsafeWorkbook, check_workbook

SHEET = "xl/worksheets/sheet1.xml"
SHARED = "xl/sharedStrings.xml"


@pytest.fixture(scope="module")
def sound() -> bytes:
    """A small workbook as openpyxl writes it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["case_id", "disease", "area_code"])
    sheet.append(["LC-1", "dengue", "12"])
    sheet.append(["LC-2", '=HYPERLINK("http://example.org/?"&A2,"x")', "=1+1"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(content: bytes, parts: Mapping[str, Callable[[bytes], bytes]], packing: int = 8) -> bytes:
    """The workbook with some of its parts changed, or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", packing) as new:
        names = old.namelist()
        for name in (*names, *(part for part in parts if part not in names)):
            part = old.read(name) if name in names else b""
            new.writestr(name, parts[name](part) if name in parts else part)
    return out.getvalue()


def refusal(content: bytes) -> str:
    with pytest.raises(UnsafeWorkbook) as caught:
        check_workbook(io.BytesIO(content))
    return str(caught.value)


def far_cell(reference: bytes) -> Callable[[bytes], bytes]:
    return lambda part: part.replace(
        b"</sheetData>", b"<row><c r=" + reference + b"><v>1</v></c></row></sheetData>"
    )


def test_a_sound_workbook_is_read_and_formulas_are_not_computed(sound: bytes) -> None:
    check_workbook(io.BytesIO(sound))
    (table,) = read_tables(InputFile.of(io.BytesIO(sound), "list.xlsx"), "workbook")
    # openpyxl stores no values beside formulas: nothing is made up for them.
    assert [row.cells for row in table.rows()] == [
        ["case_id", "disease", "area_code"],
        ["LC-1", "dengue", "12"],
        ["LC-2", "", ""],
    ]


@pytest.mark.parametrize(
    "reference",
    [b'"XFD1048576"', b"'XFD1048576'", b'"ZZ9"', b'"A1048576"', b'"CV299999"', b' "xfd1"', b'"A99999999999"'],
)
def test_one_cell_far_outside_is_refused(sound: bytes, reference: bytes) -> None:
    assert "reaches further" in refusal(changed(sound, {SHEET: far_cell(reference)}))


@pytest.mark.parametrize("reference", [b'"BL99999"', b'"CV5"', b'"AV150000"'])
def test_a_table_as_large_as_a_province_needs_is_not(sound: bytes, reference: bytes) -> None:
    check_workbook(io.BytesIO(changed(sound, {SHEET: far_cell(reference)})))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(sound: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 4 * 1024**2)
    bomb = changed(sound, {"xl/media/image1.png": lambda _: bytes(8 * 1024**2)})
    assert len(bomb) < 100_000
    assert "unpacks to more" in refusal(bomb)


def test_a_member_that_lies_about_its_size_is_refused(sound: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 4 * 1024**2)
    bomb = bytearray(changed(sound, {"xl/media/image1.png": lambda _: bytes(8 * 1024**2)}))
    # In the directory at the end, and in front of the data.
    claimed = struct.pack("<I", 8 * 1024**2)
    while (at := bomb.find(claimed)) >= 0:
        bomb[at : at + 4] = struct.pack("<I", 10)
    assert "unpacks to more" in refusal(bytes(bomb))


def test_a_long_text_that_many_cells_name_is_refused(sound: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_TEXT_BYTES", 1024**2)
    shared = b"<sst><si><t>short</t></si><si><t>" + b"x" * 30_000 + b"</t></si></sst>"

    def naming(index: bytes) -> bytes:
        cells = b'<row><c r="A5" t="s"><v>' + index + b"</v></c></row>"
        return changed(
            sound,
            {
                SHARED: lambda _: shared,
                SHEET: lambda part: part.replace(b"</sheetData>", cells * 50 + b"</sheetData>"),
            },
        )

    assert "of text" in refusal(naming(b"1"))
    check_workbook(io.BytesIO(naming(b"0")))


@pytest.mark.parametrize("part", [SHEET, SHARED])
def test_what_excel_never_writes_is_refused(sound: bytes, part: str) -> None:
    doctype = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    assert "as Excel never does" in refusal(changed(sound, {part: lambda old: doctype + old}))


def test_other_archives_and_packings_are_refused(sound: bytes) -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("content.xml", "<office:document/>")
    assert "not an .xlsx workbook" in refusal(other.getvalue())
    assert "a way that Excel does not use" in refusal(changed(sound, {}, packing=zipfile.ZIP_LZMA))
    protected = sound.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
    assert "password" in refusal(protected)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_bytes_are_damaged_it_is_read_or_refused(sound: bytes, data: st.DataObject) -> None:
    spoilt = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 5))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    file = InputFile.of(io.BytesIO(bytes(spoilt[: data.draw(st.integers(4, len(spoilt)))])), "list.xlsx")
    with suppress(FileProblem):
        for table in list(read_tables(file, "workbook")):
            list(table.rows())


def test_the_path_of_a_file_that_was_sent_is_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("case_id,disease\nSECRET,dengue\n")
    file = InputFile.of(io.BytesIO(b"case_id,disease\nLC-1,dengue\n"), str(secret))
    rows = list(next(read_tables(file, "text")).rows())
    assert [row.cells[0] for row in rows] == ["case_id", "LC-1"]
    assert file.name == "secret.csv"
