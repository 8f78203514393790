"""A line list of 1,000 cases as offices send them, of which 37 are broken, each in another way."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

COLUMNS = (
    "case_id",
    "event_id",
    "event_time",
    "disease",
    "area_code",
    "hamlet",
    "onset_on",
    "admitted_on",
    "discharged_on",
    "died_at",
    "reported_on",
    "sex",
    "age_years",
    "classification",
    "lab.dengue",
    "lab.measles",
    "outcome",
    "hospitalised",
    "severity",
    "vaccination",
    "doses",
    "origin",
    "reporting_facility",
    "cluster",
    "external_ids.ecds",
)

ROWS = 1_000
HEADER_ROW = 1

_DISEASES = ("dengue", "Sốt xuất huyết Dengue", "sởi", "hfmd", "Tay - Chân - Miệng", "A90")
_AREAS = ("03412", "03390", "109", "12", "3412", "Xã Bình Lư, huyện Tam Đường", "105")
_SEXES = ("male", "Nữ", "nam", "", "không rõ")
_CLASSIFICATIONS = ("suspected", "Xác định", "nghi ngờ", "")
_RESULTS = ("positive", "âm tính", "", "Chờ kết quả", "(+)")
_OUTCOMES = ("recovered", "đang điều trị", "", "Chuyển viện")
_YES_NO = ("có", "không", "1", "", "x")


def good_row(number: int) -> dict[str, str]:
    """The cells of a case that has nothing wrong with it; every number gives another case."""
    onset = date(2023, 1, 1) + timedelta(days=number * 7 % 700)
    return {
        "case_id": f"LC-2023-{number:06d}",
        "disease": _DISEASES[number % len(_DISEASES)],
        "area_code": _AREAS[number % len(_AREAS)],
        "hamlet": f"bản Nà Hum {number % 40}",
        "onset_on": onset.strftime(("%d/%m/%Y", "%Y-%m-%d")[number % 2]),
        "admitted_on": (onset + timedelta(days=2)).isoformat() if number % 3 == 0 else "",
        "reported_on": str((onset + timedelta(days=3) - date(1899, 12, 30)).days),
        "sex": _SEXES[number % len(_SEXES)],
        "age_years": ("0,5", "34", "", "71.25")[number % 4],
        "classification": _CLASSIFICATIONS[number % len(_CLASSIFICATIONS)],
        "lab.dengue": _RESULTS[number % len(_RESULTS)],
        "outcome": _OUTCOMES[number % len(_OUTCOMES)],
        "hospitalised": _YES_NO[number % len(_YES_NO)],
        "vaccination": ("không rõ", "có", "")[number % 3],
        "doses": str(number % 3),
        "reporting_facility": "CDC-12",
        "external_ids.ecds": f"2023-12-{number:06d}" if number % 2 else "",
    }


@dataclass(frozen=True, slots=True)
class Broken:
    """One way to break a row: cells to put in, or bytes to make of its line; and the field to be named."""

    field: str
    cells: Mapping[str, str]
    spoil: Callable[[bytes], bytes] | None = None


def _cells(field: str, **cells: str) -> Broken:
    return Broken(field, {name.replace("__", "."): cell for name, cell in cells.items()})


def _one(field: str, cell: str) -> Broken:
    return Broken(field, {field: cell})


BROKEN: tuple[Broken, ...] = (
    _one("disease", "dengu"),
    _one("disease", "sốt mò cua"),
    _one("disease", ""),
    # A commune that was merged away before the onset.
    _cells("area_code", area_code="03412", onset_on="05/08/2025", reported_on="", admitted_on=""),
    # A special zone that there was not yet.
    _cells("area_code", area_code="21548", onset_on="05/08/2023"),
    # A district, after districts were abolished.
    _cells("area_code", area_code="109", onset_on="2025-09-01", reported_on="", admitted_on=""),
    _one("area_code", "99999"),
    _one("area_code", ""),
    _one("area_code", "Phong Thổ"),
    _one("area_code", "9"),
    _cells("died_at", onset_on="2023-05-05", died_at="04/05/2023", admitted_on="", reported_on=""),
    _cells("discharged_on", admitted_on="2023-05-05", discharged_on="2023-05-04"),
    _cells("onset_on", onset_on="01/01/2099", admitted_on="", reported_on=""),
    _one("reported_on", "2099-01-01"),
    _one("onset_on", "31/02/2023"),
    _one("onset_on", "07/25/2023"),
    _one("onset_on", "4/7/23"),
    _one("onset_on", "04/07/1923"),
    _one("hamlet", "Lò Văn Pâng"),
    _one("hamlet", "bản Nà Hum " + "x" * 80),
    _one("case_id", "012085000123"),
    _one("severity", "Giàng A Súa"),
    _one("cluster", "0912345678"),
    _one("external_ids.ecds", "lo.van.pang@example.com"),
    _one("case_id", ""),
    _one("case_id", "LC 2023 26"),
    _one("case_id", "LC-2023-" + "7" * 60),
    Broken("hamlet", {"hamlet": "bản Cốc"}, lambda line: line.replace("ố".encode(), b"\xd4")),
    _one("hamlet", "bản C\ufffdc"),
    Broken("row", {"hamlet": "bản Hai"}, lambda line: line.replace("bản".encode(), b'"b')),
    Broken("row", {"cluster": "a"}, lambda line: line + b",x"),
    _one("sex", "khác"),
    _one("age_years", "ba mươi"),
    _one("age_years", "250"),
    _one("lab.measles", "dương tính giả"),
    _one("event_id", "12345"),
    _cells("event_time", event_time="2099-01-01T00:00:00+07:00"),
)
"""Thirty-seven ways to break a row."""


def _broken_numbers() -> dict[int, Broken]:
    """Number of the case → how it is broken; spread over the file, its first and last row among them."""
    step = (ROWS - 1) / (len(BROKEN) - 1)
    return {1 + round(place * step): broken for place, broken in enumerate(BROKEN)}


def expected_rejections() -> list[tuple[int, str]]:
    """(row of the file, field) for each of the broken rows, in the order of the file."""
    return [(HEADER_ROW + number, broken.field) for number, broken in _broken_numbers().items()]


def _line(cells: Mapping[str, str]) -> bytes:
    texts = (cells.get(column, "") for column in COLUMNS)
    return ",".join(f'"{text}"' if "," in text else text for text in texts).encode()


def _lines(mended: frozenset[int]) -> Iterator[bytes]:
    yield ",".join(COLUMNS).encode()
    broken = _broken_numbers()
    for number in range(1, ROWS + 1):
        fault = None if number in mended else broken.get(number)
        if fault is None:
            yield _line(good_row(number))
            continue
        line = _line({**good_row(number), **fault.cells})
        yield fault.spoil(line) if fault.spoil else line


def line_list_with_37_broken_rows(mended: frozenset[int] = frozenset()) -> bytes:
    """The file; `mended` are the numbers of cases that are not to be broken."""
    return b"\r\n".join(_lines(mended)) + b"\r\n"
