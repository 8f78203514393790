"""Which layout a table of cases has: the national export, or the line list of the contract."""

from collections.abc import Iterable, Mapping

from services.importing.codes import CodeFinder
from services.importing.line_list import Layout, LayoutFactory, LayoutName, recognise_line_list
from services.importing.national import recognise_national_export
from services.importing.readers import HEADER_WITHIN, FileProblem, InputFile, Table

LAYOUTS: Mapping[LayoutName, LayoutFactory] = {
    "national": recognise_national_export,
    "line-list": recognise_line_list,
}
"""In the order in which they are tried."""

_EXPECTED: Mapping[LayoutName, tuple[str, str]] = {
    "national": (
        "Tệp xuất của hệ thống quốc gia có 48 cột, như Mã số, Chẩn đoán chính, Tỉnh, Xã",
        "An export of the national system has 48 columns, such as Mã số, Chẩn đoán chính, Tỉnh, Xã",
    ),
    "line-list": (
        "Danh sách ca bệnh cần cột mã ca bệnh (case_id) và bệnh (disease) hoặc mã địa bàn (area_code)",
        "A line list needs a column case_id (mã ca bệnh) and disease (bệnh) or area_code (mã địa bàn)",
    ),
}
"""What the columns must be, in Vietnamese and in English."""


def find_layout(
    file: InputFile, tables: Iterable[Table], codes: CodeFinder, only: LayoutName | None = None
) -> tuple[Table, Layout]:
    """The first table in which a layout is recognised, or the one that is asked for.

    Raises:
        FileProblem: there is none.
    """
    names: tuple[LayoutName, ...] = (only,) if only else tuple(LAYOUTS)
    for table in tables:
        rows = table.first_rows()
        for name in names:
            layout = LAYOUTS[name](rows, codes)
            if layout is not None:
                return table, layout
    expected_vi, expected_en = (
        "; ".join(said) for said in zip(*(_EXPECTED[name] for name in names), strict=True)
    )
    raise FileProblem(
        f"{file.name}: không thấy dòng tên cột trong {HEADER_WITHIN} dòng đầu. {expected_vi}. Tệp chữ thì "
        "ngăn cột bằng dấu phẩy, chấm phẩy hoặc tab.",
        f"No row of column names among the first {HEADER_WITHIN}. {expected_en}. Separate the columns by "
        "commas, semicolons or tabs.",
    )
