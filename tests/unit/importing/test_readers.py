"""Files become rows with the numbers that Excel shows; what cannot be read spoils no more than itself."""

import codecs
import datetime as dt
import io
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.importing import readers, workbooks
from services.importing.readers import (
    FileProblem,
    InputFile,
    Row,
    is_damaged,
    kind_of_file,
    read_lines,
    read_tables,
    safe_name,
)
from services.importing.values import text_of


def naive(*parts: int) -> dt.datetime:
    """A time as a workbook gives it, of no time zone."""
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def rows_of(path: Path, delimiter: str = ",") -> list[Row]:
    """The rows of a text table."""
    tables = list(read_tables(InputFile.at(path), "text"))
    return list(tables[readers.DELIMITERS.index(delimiter)].rows())


def written(tmp_path: Path, content: bytes, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("encoding", "delimiter", "newline"),
    [
        ("utf-8", ",", "\n"),
        ("utf-8-sig", ";", "\r\n"),
        ("utf-8-sig", "\t", "\r"),
        ("utf-16", ";", "\r\n"),
    ],
)
def test_text_tables_of_every_kind(tmp_path: Path, encoding: str, delimiter: str, newline: str) -> None:
    lines = [delimiter.join(["case_id", "hamlet"]), delimiter.join(["LC-1", "bản Nà Hum"]), ""]
    path = written(tmp_path, newline.join(lines).encode(encoding))
    assert [(row.number, row.cells) for row in rows_of(path, delimiter)] == [
        (1, ["case_id", "hamlet"]),
        (2, ["LC-1", "bản Nà Hum"]),
    ]


def test_blank_lines_keep_the_numbers_of_the_rows_after_them(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n\n\n1,2\n")
    assert [(row.number, row.cells) for row in rows_of(path)] == [
        (1, ["a", "b"]),
        (2, []),
        (3, []),
        (4, ["1", "2"]),
    ]


def test_quoted_cells_hold_separators_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,b\n1,"x, ""y""\nz"\n2,w\n')
    assert [(row.number, row.cells) for row in rows_of(path)] == [
        (1, ["a", "b"]),
        (2, ["1", 'x, "y"\nz']),
        (3, ["2", "w"]),
    ]


@pytest.mark.parametrize(
    "after",
    [
        b"2,fine\n3,fine\n",
        b'2,"fine"\n3,fine\n',
        b'2,fine\n3,"fi""ne"\n',
        b"2,fine\n3,fine\n" + b"4,x\n" * 100,
    ],
)
def test_an_open_quote_spoils_its_own_line_only(tmp_path: Path, after: bytes) -> None:
    path = written(tmp_path, b'a,b\n1,"open\n' + after)
    rows = rows_of(path)
    assert [row.number for row in rows if row.is_broken] == [2]
    assert [(row.number, row.cells[0]) for row in rows[2:4]] == [(3, "2"), (4, "3")]


def test_a_quote_that_swallows_the_next_row_is_broken_too(tmp_path: Path) -> None:
    # The second quotation mark closes it, but the cells then are fewer than the table has.
    path = written(tmp_path, b'a,b,c\n1,"open,2\n3,4,5"\n6,7,8\n')
    rows = rows_of(path)
    assert [(row.number, row.is_broken) for row in rows] == [(1, False), (2, True), (3, False), (4, False)]
    assert rows[3].cells == ["6", "7", "8"]


def test_a_wrong_byte_damages_its_cell_only(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,bản Cốc\n2,bản Cốc\n".encode().replace("ố".encode(), b"\xd4", 1))
    rows = rows_of(path)
    assert [[is_damaged(str(cell)) for cell in row.cells] for row in rows] == [
        [False, False],
        [False, True],
        [False, False],
    ]


def test_a_table_can_be_read_again(tmp_path: Path) -> None:
    table = next(read_tables(InputFile.at(written(tmp_path, b"a,b\n" + b"1,2\n" * 50)), "text"))
    assert len(table.first_rows()) == readers.HEADER_WITHIN
    assert len(list(table.rows())) == 51
    assert table.size == 52


def workbook(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Ca bệnh"
    sheet["C4"], sheet["D4"], sheet["E4"] = "case_id", "area_code", "onset_on"
    sheet["C5"], sheet["D5"], sheet["E5"] = "LC-1", 3412, dt.date(2023, 7, 1)
    sheet["C7"], sheet["D7"], sheet["E7"] = "LC-2", True, naive(2023, 7, 1, 8, 30)
    sheet["C8"], sheet["D8"], sheet["E8"] = "LC-3", 0.5, 45108.25
    book.create_sheet("Ghi chú")["A1"] = "x"
    hidden = book.create_sheet("Ẩn")
    hidden["A1"] = "y"
    hidden.sheet_state = "hidden"
    book.save(path)
    return path


def test_workbook_rows_keep_excels_numbers_and_types(tmp_path: Path) -> None:
    first, second = list(read_tables(InputFile.at(workbook(tmp_path / "list.xlsx")), "workbook"))
    assert (first.name, second.name) == ("Ca bệnh", "Ghi chú")
    rows = {row.number: row.cells for row in first.rows()}
    assert {number: cells for number, cells in rows.items() if any(cell != "" for cell in cells)} == {
        4: ["case_id", "area_code", "onset_on"],
        5: ["LC-1", 3412.0, dt.date(2023, 7, 1)],
        7: ["LC-2", True, naive(2023, 7, 1, 8, 30)],
        8: ["LC-3", 0.5, 45108.25],
    }


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path / "list.xlsx")
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 1_000)
    with pytest.raises(FileProblem, match="unpacks to more"):
        list(read_tables(InputFile.at(path), "workbook"))


def test_a_large_workbook_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "list.xlsx")
    monkeypatch.setattr(workbooks, "MAX_BYTES", 1_000)
    with pytest.raises(FileProblem, match="Split it"):
        list(read_tables(InputFile.at(path), "workbook"))


def test_a_sheet_with_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "list.xlsx")
    monkeypatch.setattr(workbooks, "MAX_ROWS", 3)
    with pytest.raises(FileProblem, match="rows"):
        list(read_tables(InputFile.at(path), "workbook"))


def test_damaged_workbooks_are_refused(tmp_path: Path) -> None:
    sound = workbook(tmp_path / "list.xlsx").read_bytes()
    cut = written(tmp_path, sound[: len(sound) // 2], "cut.xlsx")
    with pytest.raises(FileProblem, match="sound"):
        list(read_tables(InputFile.at(cut), "workbook"))
    middle = sound.index(b"xl/worksheets/sheet1.xml") + 60
    flipped = written(
        tmp_path, sound[:middle] + bytes([sound[middle] ^ 0xFF]) + sound[middle + 1 :], "flip.xlsx"
    )
    with pytest.raises(FileProblem):
        list(read_tables(InputFile.at(flipped), "workbook"))
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        archive.writestr("hello.txt", "no workbook")
    with pytest.raises(FileProblem, match="cannot be read"):
        list(read_tables(InputFile.at(tmp_path / "other.xlsx"), "workbook"))


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("list.csv", b"case_id,disease\n", "text"),
        ("list.CSV", b"[x],y\n", "text"),
        ("list.txt", b"case_id\tdisease\n", "text"),
        ("list.csv", b"PK\x03\x04", "workbook"),
        ("list.xlsx", b"PK\x03\x04", "workbook"),
        ("events.ndjson", b"garbage", "events"),
        ("events.jsonl", b"{}", "events"),
        ("events.json", b'\xef\xbb\xbf {"id": 1}', "events"),
        ("events", b'{"id": 1}', "events"),
    ],
)
def test_kinds_of_files(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    assert kind_of_file(InputFile.at(written(tmp_path, content, name))) == kind


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("list.csv", b"", "empty"),
        ("list.xls", b"\xd0\xcf\x11\xe0\xa1", "save it as .xlsx"),
        ("events.json", b"[{}]", "one event a line"),
        ("list.pdf", b"%PDF", "Not a kind of file"),
    ],
)
def test_files_that_are_not_read(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(FileProblem, match=words):
        kind_of_file(InputFile.at(written(tmp_path, content, name)))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        kind_of_file(InputFile.at(tmp_path / "list.csv"))
    with pytest.raises(FileProblem, match="cannot be read"):
        kind_of_file(InputFile.at(tmp_path))


def test_lines_have_numbers_and_no_white_space_around_them(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf{}\r\n\n  {} \n{}", "events.ndjson")
    assert list(read_lines(InputFile.at(path))) == [(1, b"{}"), (2, b""), (3, b"{}"), (4, b"{}")]


TITLE = "Mã ca bệnh;Tên bệnh;Thôn\r\nLC-1;Sốt xuất huyết;bản Đường Thượng, ấp Nước Đổ\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1258"])
def test_encodings_as_excel_writes_them(tmp_path: Path, encoding: str) -> None:
    # Vietnamese Windows writes letters with their marks, and the tone after them.
    content = TITLE.encode(encoding, "decompose_tones")
    rows = rows_of(written(tmp_path, content), ";")
    assert [text_of(cell) for row in rows for cell in row.cells] == TITLE.replace("\r\n", ";").split(";")[:6]


def decompose_tones(error: UnicodeError) -> tuple[str, int]:
    """A letter that the code page lacks, as the letter that it has and the tone after it."""
    assert isinstance(error, UnicodeEncodeError)
    letters = unicodedata.normalize("NFD", error.object[error.start])
    tone = next(mark for mark in letters if mark in "\u0300\u0301\u0303\u0309\u0323")
    return unicodedata.normalize("NFC", letters.replace(tone, "")) + tone, error.start + 1


codecs.register_error("decompose_tones", decompose_tones)


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_MAX_LINE", 1_000)
    for content in (b"a,b\n" + b"1," * 600, b'a,b\n"x\n' + b"1," * 600):
        with pytest.raises(FileProblem, match=r"line [23] "):
            rows_of(written(tmp_path, content))
    with pytest.raises(FileProblem, match="line 1"):
        list(read_lines(InputFile.at(written(tmp_path, b"{" * 1_000, "x.ndjson"))))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ca bệnh.xlsx", "ca bệnh.xlsx"),
        ("../../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\list.csv", "list.csv"),
        ("/", "file"),
        ("..", "file"),
        ("a\x00b\x1b[31m\u202e.csv", "ab[31m.csv"),
        ("Lò Văn Pâng.xlsx", "file.xlsx"),
        ("x" * 300 + ".csv", "x" * 96 + ".csv"),
    ],
)
def test_names_of_files_that_were_sent(name: str, shown: str) -> None:
    assert safe_name(name) == shown


@given(st.text(max_size=200))
def test_no_name_leads_out_of_a_folder(name: str) -> None:
    shown = safe_name(name)
    assert 0 < len(shown) <= 110
    assert not set(shown) & set("/\\\x00\n")
    assert shown not in (".", "..")


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=400))
def test_whatever_the_bytes_rows_come_out(content: bytes) -> None:
    file = InputFile.of(io.BytesIO(content), "list.csv")
    for table in read_tables(file, "text"):
        numbers = [row.number for row in table.rows()]
        assert numbers == sorted(set(numbers))
