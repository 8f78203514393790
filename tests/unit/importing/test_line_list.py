"""A header is recognised, rows become cases, what is no case is said so; nothing is dropped silently."""

from pathlib import Path
from uuid import UUID

import pytest

from services.importing.codes import CodeFinder
from services.importing.layouts import find_layout
from services.importing.line_list import CaseRow, LineList, recognise_line_list
from services.importing.outcome import Rejection, Skip
from services.importing.readers import Cell, FileProblem, InputFile, Row, read_tables

HEADER = ["case_id", "disease", "area_code", "hamlet", "onset_on"]


def rows_of(*lines: list[Cell]) -> list[Row]:
    return [Row(number, line) for number, line in enumerate(lines, 1)]


def layout_of(codes: CodeFinder, *header: Cell) -> LineList:
    layout = recognise_line_list(rows_of(list(header)), codes)
    assert layout is not None
    return layout


def read(codes: CodeFinder, *lines: list[Cell]) -> list[CaseRow | Rejection | Skip]:
    rows = rows_of(*lines)
    layout = recognise_line_list(rows, codes)
    assert layout is not None
    return list(layout.read(rows))


def case(codes: CodeFinder, header: list[Cell], line: list[Cell]) -> CaseRow:
    """The one case of a table of two rows."""
    (found,) = read(codes, header, line)
    assert isinstance(found, CaseRow), found
    return found


def rejection(codes: CodeFinder, header: list[Cell], line: list[Cell]) -> Rejection:
    (found,) = read(codes, header, line)
    assert isinstance(found, Rejection), found
    return found


def fields(found: Rejection) -> list[str]:
    return [fault.field for fault in found.faults]


def test_a_case(codes: CodeFinder) -> None:
    header: list[Cell] = [
        " Case_ID",
        "EVENT_ID",
        "event_time",
        "disease",
        "area_code",
        "lab.measles",
        "lab.Rubella",
        "sex",
    ]
    event_id = "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11"
    found = case(codes, header, [" LC-1 ", event_id, "04/07/2023 08:12", "Sởi", 3412.0, "(+)", "", "nữ"])
    assert (found.number, found.case_id, found.event_id) == (2, "LC-1", UUID(event_id))
    assert found.event_time is not None
    assert found.event_time.isoformat() == "2023-07-04T01:12:00+00:00"
    assert found.values == {
        "disease": "measles",
        "area_code": "3412",
        "lab.measles": "positive",
        "sex": "female",
    }
    assert found.said == {"disease", "area_code", "lab.measles", "lab.rubella", "sex"}


def test_vietnamese_headers(codes: CodeFinder) -> None:
    header: list[Cell] = [
        "Mã ca bệnh",
        "BỆNH",
        "Mã xã",
        "Ngày khởi phát",
        "Giới tính",
        "Tuổi",
        "Thôn, bản, tổ",
    ]
    found = case(codes, header, ["LC-1", "dengue", "03412", "04/07/2023", "Nam", "34,5", "bản Nà Hum"])
    assert found.values == {
        "disease": "dengue",
        "area_code": "03412",
        "onset_on": "2023-07-04",
        "sex": "male",
        "age_years": 34.5,
        "hamlet": "bản Nà Hum",
    }


def test_the_header_is_found_under_titles(codes: CodeFinder) -> None:
    found = read(
        codes,
        ["DANH SÁCH CA BỆNH", "", ""],
        ["", "", ""],
        ["Từ ngày 01/01/2023", "", ""],
        ["case_id", "disease", "area_code"],
        ["LC-1", "dengue", "12"],
        ["", "", ""],
        ["", " ", ""],
        ["LC-2", "dengue", "12"],
        ["Tổng cộng", "", "2"],
        ["case_id", "disease", "area_code"],
        ["", "Cộng: 2", ""],
        ["", "", ""],
    )
    assert [
        row if isinstance(row, Skip) else row.number for row in found if not isinstance(row, Rejection)
    ] == [
        Skip(1, 1, "title"),
        Skip(2, 1, "blank"),
        Skip(3, 1, "title"),
        5,
        Skip(6, 2, "blank"),
        8,
        Skip(9, 1, "total"),
        Skip(10, 1, "repeated_header"),
    ]
    # "Cộng: 2" is no total by its words: it is refused, not skipped.
    assert [row.row for row in found if isinstance(row, Rejection)] == [11]


@pytest.mark.parametrize(
    "header",
    [["case_id", "hamlet"], ["disease", "area_code"], ["STT", "Họ tên"], ["LC-1", "dengue", "03412"], []],
)
def test_no_header(codes: CodeFinder, header: list[Cell]) -> None:
    assert recognise_line_list(rows_of(header), codes) is None


def test_columns_that_are_not_of_the_list_are_named_once_and_never_read(codes: CodeFinder) -> None:
    header: list[Cell] = [
        "STT",
        "Họ và tên",
        "case_id",
        "disease",
        "area_code",
        "0912345678",
        "Lò Văn Pâng",
        "",
    ]
    layout = layout_of(codes, *header)
    assert layout.ignored_columns == ["STT", "Họ và tên", "cột 6", "cột 7"]
    ((message_vi, message_en),) = layout.warnings
    for message in (message_vi, message_en):
        assert "Họ và tên" in message
        assert "Pâng" not in message
        assert "0912345678" not in message
    found = case(codes, header, ["1", "Lò Văn Pâng", "LC-1", "dengue", "12", "x", "y", ""])
    assert found.values == {"disease": "dengue", "area_code": "12"}


def test_an_agent_that_the_catalogue_does_not_know_is_taken_with_a_warning(codes: CodeFinder) -> None:
    layout = layout_of(codes, "case_id", "disease", "lab.new_virus", "lab.vi rút lạ")
    assert layout.ignored_columns == ["lab.vi rút lạ"]
    assert any("lab.new_virus" in english for _, english in layout.warnings)


def test_two_columns_of_one_name_are_refused(codes: CodeFinder) -> None:
    with pytest.raises(FileProblem, match="disease stands there twice"):
        layout_of(codes, "case_id", "disease", "Disease ")


def test_of_two_names_for_a_field_the_more_exact_wins_and_the_other_fills_in(codes: CodeFinder) -> None:
    header: list[Cell] = ["Mã tỉnh", "Mã huyện", "Mã xã", "case_id", "disease"]
    assert case(codes, header, ["12", "106", "03412", "LC-1", "dengue"]).values["area_code"] == "03412"
    assert case(codes, header, ["12", "106", "", "LC-1", "dengue"]).values["area_code"] == "106"


def test_a_row_without_its_key_is_refused(codes: CodeFinder) -> None:
    for key in ("", "  ", "null"):
        found = rejection(codes, list(HEADER), [key, "dengue", "12", "", ""])
        assert fields(found) == ["case_id"]
        assert "không tự đặt mã" in found.faults[0].message_vi


def test_every_fault_of_a_row_is_told(codes: CodeFinder) -> None:
    found = rejection(codes, list(HEADER), ["", "dengu", "12", "bản C\ufffdc", "31/02/2023"])
    assert sorted(fields(found)) == ["case_id", "disease", "hamlet", "onset_on"]


@pytest.mark.parametrize("text", [f"bản C{chr(0xDCD4)}c", f"bản C{chr(0xFFFD)}c"])
def test_a_damaged_cell_says_how_to_save_the_file(codes: CodeFinder, text: str) -> None:
    found = rejection(codes, list(HEADER), ["LC-1", "dengue", "12", text, ""])
    assert fields(found) == ["hamlet"]
    assert "CSV UTF-8" in found.faults[0].message_vi


def test_damage_in_a_column_that_nobody_reads_does_no_harm(codes: CodeFinder) -> None:
    assert case(codes, ["case_id", "disease", "Ghi chú"], ["LC-1", "dengue", "\udcd4"]).case_id == "LC-1"


def test_a_broken_line_and_one_with_too_many_cells_are_refused(codes: CodeFinder) -> None:
    layout = layout_of(codes, *HEADER)
    (broken,) = layout.read([Row(7, ['LC-1,"x'], is_broken=True)])
    assert isinstance(broken, Rejection)
    assert (broken.row, fields(broken)) == (7, ["row"])
    wide = rejection(codes, list(HEADER), ["LC-1", "dengue", "12", "", "", "x"])
    assert fields(wide) == ["row"]
    assert "6" in wide.faults[0].message_vi
    assert "5" in wide.faults[0].message_vi
    # Separators at the end of a line are no cells.
    assert case(codes, list(HEADER), ["LC-1", "dengue", "12", "", "", "", " "]).case_id == "LC-1"


def test_a_short_row_says_nothing_of_the_columns_that_it_lacks(codes: CodeFinder) -> None:
    assert case(codes, list(HEADER), ["LC-1", "dengue", "12"]).said == {"disease", "area_code"}
    assert case(codes, list(HEADER), ["LC-1", "dengue", "12", "", ""]).said == set(HEADER) - {"case_id"}


def test_null_takes_a_field_back(codes: CodeFinder) -> None:
    found = case(codes, [*HEADER, "lab.dengue"], ["LC-1", "dengue", "12", "null", "null", "null"])
    assert found.values == {
        "disease": "dengue",
        "area_code": "12",
        "hamlet": None,
        "onset_on": None,
        "lab.dengue": None,
    }


def test_objects_in_one_cell(codes: CodeFinder) -> None:
    header: list[Cell] = ["case_id", "disease", "lab", "external_ids", "external_ids.His"]
    found = case(codes, header, ["LC-1", "sởi", '{"rubella": "âm tính"}', '{"ecds": "2023-1"}', "A-7"])
    assert found.values == {
        "disease": "measles",
        "lab.rubella": "negative",
        "external_ids.ecds": "2023-1",
        "external_ids.his": "A-7",
    }
    assert found.said == {"disease", "lab.*", "external_ids.*", "external_ids.his"}
    assert fields(rejection(codes, header, ["LC-1", "sởi", "dương tính", "", ""])) == ["lab"]


def test_digests_tell_rows_apart_by_what_they_say(codes: CodeFinder) -> None:
    header: list[Cell] = ["case_id", "disease", "hamlet", "event_id"]
    one = case(codes, header, ["LC-1", "dengue", "bản Hai", ""])
    same = case(codes, ["hamlet", "event_id", "case_id", "disease"], ["bản Hai", "", "LC-1", "SXH"])
    narrow = case(codes, ["case_id", "disease", "hamlet"], ["LC-1", "dengue", "bản Hai"])
    wide = case(codes, [*header, "sex"], ["LC-1", "dengue", "bản Hai", "", ""])
    other = case(codes, header, ["LC-1", "dengue", "bản Ba", ""])
    with_id = case(codes, header, ["LC-1", "dengue", "bản Hai", "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11"])
    assert one.digest == same.digest == narrow.digest
    assert len({one.digest, wide.digest, other.digest, with_id.digest}) == 4
    assert one.content_digest == wide.content_digest == with_id.content_digest != other.content_digest


def test_the_separator_is_the_one_with_which_a_header_is_found(codes: CodeFinder, tmp_path: Path) -> None:
    for separator in (",", ";", "\t"):
        path = tmp_path / "list.csv"
        path.write_text(
            separator.join(HEADER) + "\n" + separator.join(["LC-1", "dengue", "12", "a b", ""]) + "\n"
        )
        table, layout = find_layout(InputFile.at(path), read_tables(InputFile.at(path), "text"), codes)
        (found,) = layout.read(table.rows())
        assert isinstance(found, CaseRow)
        assert found.values["hamlet"] == "a b"


def test_a_file_without_a_header_says_what_it_needs(codes: CodeFinder, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("STT,Họ tên\n1,x\n")
    with pytest.raises(FileProblem, match="case_id"):
        find_layout(InputFile.at(path), read_tables(InputFile.at(path), "text"), codes)
