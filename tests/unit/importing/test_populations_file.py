"""The operator's file of populations: what is read, and what is refused with which words."""

from datetime import date
from pathlib import Path

import pytest

from services.importing.populations import read_file, read_packaged, read_rows
from streams.domain.errors import ConfigurationError
from streams.stores.populations import RowsRefused, Stated


def test_a_file_as_offices_save_it() -> None:
    text = (
        "\ufeffarea_code;area_on;year;population;source\r\n"
        "12;;2023;489.180;Cục Thống kê\r\n"
        "\r\n"
        "03390;01/01/2026;2026;14 272;\r\n"
    )
    assert read_rows(text.encode(), "dan-so.csv") == [
        Stated(2, "12", date(2023, 7, 1), 2023, 489_180, "Cục Thống kê"),
        Stated(4, "03390", date(2026, 1, 1), 2026, 14_272, "dan-so.csv"),
    ]


def test_columns_may_stand_in_any_order_and_two_may_be_left_out() -> None:
    (row,) = read_rows(b"Population,Year,Area_Code\n10,2020,105\n", "x.csv")
    assert (row.area_code, row.area_on, row.population) == ("105", date(2020, 7, 1), 10)


@pytest.mark.parametrize(
    ("line", "field", "vi", "en"),
    [
        ("3412,,2023,10,", "area_code", "giữ số 0", "keep leading zeros"),
        ("1.2,,2023,10,", "area_code", "Mã", "Code"),
        ("12,,23,10,", "year", "bốn chữ số", "four digits"),
        ("12,,1989,10,", "year", "1990", "1990"),
        ("12,,2023,0,", "population", "số nguyên", "whole number"),
        ("12,,2023,48.91,", "population", "số nguyên", "whole number"),
        ("12,,2023,-5,", "population", "số nguyên", "whole number"),
        ("12,,2023,999999999,", "population", "số nguyên", "whole number"),
        ("12,,2023,,", "population", "số nguyên", "whole number"),
        ("12,31/02/2023,2023,10,", "area_on", "Ngày", "Day"),
        ("12,2023,2023,10,", "area_on", "Ngày", "Day"),
        ("12,,2023,10,a,b", "row", "nhiều ô", "more cells"),
    ],
)
def test_a_wrong_row_is_named_in_both_languages(line: str, field: str, vi: str, en: str) -> None:
    text = f"area_code,area_on,year,population,source\n12,,2022,10,\n{line}\n"
    with pytest.raises(RowsRefused) as refused:
        read_rows(text.encode(), "x.csv")
    (fault,) = refused.value.faults
    assert (fault.row, fault.field) == (3, field)
    assert vi in fault.message_vi
    assert en in fault.message_en


def test_every_wrong_row_is_named() -> None:
    with pytest.raises(RowsRefused) as refused:
        read_rows(b"area_code,year,population\n1,2023,5\n12,2023,5\n12,x,5\n", "x.csv")
    assert [fault.row for fault in refused.value.faults] == [2, 4]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no rows"),
        (b"area_code,year,population\n", "has no rows"),
        (b"code,year,population\n12,2023,5\n", "Missing: area_code. Unknown: code"),
        (b"area_code,year,population,year\n", "each once"),
        ("area_code,year,population,source\n12,2023,5,thống kê\n".encode("utf-16"), "no UTF-8"),
        (b'area_code,year,population\n"12"3,2023,5\n', "line 2"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        read_rows(content, "x.csv")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.csv: No such file"):
        read_file(tmp_path / "nothing.csv")


def test_the_packaged_figures_name_their_source() -> None:
    version, rows = read_packaged()
    assert len(version) == 16
    assert {(row.area_code, row.year, row.population) for row in rows} == {
        ("12", 2022, 484_146),
        ("12", 2023, 489_180),
        ("24", 2023, 1_922_700),
    }
    assert all("department of health" in row.source for row in rows)
