"""Every way in which offices write a value, and every way that is not guessed at."""

import datetime as dt
import math
from typing import Any
from uuid import UUID

import pytest

from schemas.events.fields import FIELDS
from services.importing.outcome import BadCell
from services.importing.readers import Cell
from services.importing.values import convert, text_of, to_event_id, to_event_time, to_object
from services.importing.vocabulary import CHOICES, DATA_FIELDS, HEADERS, _keys, is_total


def naive(*parts: int) -> dt.datetime:
    """A time as a workbook gives it, of no time zone."""
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


FOURTH = "2023-07-04"
MORNING = "2023-07-04T01:12:00Z"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" Thuỷ\u00a0", "Thuỷ"),
        ("Thu\u0309y", "Thủy"),
        (3412.0, "3412"),
        (0.5, "0.5"),
        (7, "7"),
        (True, "true"),
        (dt.date(2023, 7, 4), "2023-07-04"),
        (dt.time(8, 12), "08:12:00"),
        ("", ""),
    ],
)
def test_text(cell: Cell, text: str) -> None:
    assert text_of(cell) == text


@pytest.mark.parametrize(
    "cell",
    [
        "2023-07-04",
        "2023/7/4",
        "04/07/2023",
        "4/7/2023",
        "4-7-2023",
        "04.07.2023",
        "45111",
        45111,
        45111.0,
        45111.75,
        dt.date(2023, 7, 4),
        naive(2023, 7, 4),
        naive(2023, 7, 4, 23, 59),
        "04/07/2023 00:00:00",
        "2023-07-04T23:59:00+07:00",
        # The local day of an instant.
        "2023-07-03T18:00:00Z",
    ],
)
def test_days(cell: Cell) -> None:
    assert convert("onset_on", cell) == FOURTH


@pytest.mark.parametrize(
    "cell",
    [
        "07/25/2023",
        "31/02/2023",
        "4/7/23",
        "04/2023",
        "hôm qua",
        "32874x",
        "12345",
        "99999",
        12.0,
        True,
        dt.time(8),
        "2023-13-01",
        "0000-01-01",
        "2023-07-04 25:00",
        math.nan,
        math.inf,
    ],
)
@pytest.mark.parametrize("field", ["onset_on", "died_at"])
def test_days_that_are_not_guessed(field: str, cell: Cell) -> None:
    with pytest.raises(BadCell) as caught:
        convert(field, cell)
    assert "04/07/2023" in caught.value.message_vi
    assert "04/07/2023" in caught.value.message_en
    assert str(cell) not in caught.value.message_vi.split()


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("04/07/2023", FOURTH),
        ("2023-07-04 00:00", FOURTH),
        (naive(2023, 7, 4), FOURTH),
        ("04/07/2023 08:12", MORNING),
        ("2023-07-04T08:12:00", MORNING),
        ("2023-07-04T08:12:00+07:00", MORNING),
        ("2023-07-04T01:12:00Z", MORNING),
        ("2023-07-04 01:12:00 +0000", MORNING),
        (naive(2023, 7, 4, 8, 12), MORNING),
        (45111.341_666_67, MORNING),
        ("45111,34166667", MORNING),
        # With an offset midnight is an instant, not a day.
        ("2023-07-04T00:00:00+07:00", "2023-07-03T17:00:00Z"),
    ],
)
def test_days_or_instants(cell: Cell, value: str) -> None:
    assert convert("died_at", cell) == value


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("04/07/2023 08:12", dt.datetime(2023, 7, 4, 1, 12, tzinfo=dt.UTC)),
        ("2023-07-04T08:12:00.123456+07:00", dt.datetime(2023, 7, 4, 1, 12, 0, 123_456, tzinfo=dt.UTC)),
        ("04/07/2023", dt.datetime(2023, 7, 3, 17, tzinfo=dt.UTC)),
        (naive(2023, 7, 4, 8, 12), dt.datetime(2023, 7, 4, 1, 12, tzinfo=dt.UTC)),
    ],
)
def test_event_times(cell: Cell, instant: dt.datetime) -> None:
    assert to_event_time(cell) == instant


@pytest.mark.parametrize("cell", ["08:12", "mới đây", "0001-01-01T00:00:00+23:59"])
def test_event_times_that_are_none(cell: str) -> None:
    with pytest.raises(BadCell):
        to_event_time(cell)


def test_event_ids() -> None:
    text = "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11"
    assert to_event_id(f" {text.upper()} ") == UUID(text)
    for wrong in ("12345", text.replace("-", ""), "{" + text + "}", "x"):
        with pytest.raises(BadCell, match="leave it empty"):
            to_event_id(wrong)


@pytest.mark.parametrize(
    ("cell", "value"), [("34", 34.0), ("0,5", 0.5), ("71.25", 71.25), (3, 3.0), (0.5, 0.5)]
)
def test_numbers(cell: Cell, value: float) -> None:
    found = convert("age_years", cell)
    assert (found, type(found)) == (value, float)


@pytest.mark.parametrize("cell", ["ba mươi", "8 tháng", "-1", "1.234,5", "1e3", True, math.nan, math.inf])
def test_numbers_that_are_none(cell: Cell) -> None:
    with pytest.raises(BadCell, match="not a number"):
        convert("age_years", cell)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        *[(yes, True) for yes in ("true", "TRUE", "yes", "Có", "1", "x", "X", 1.0, True)],
        *[(no, False) for no in ("false", "no", "Không", "0", 0, False)],
    ],
)
def test_yes_and_no(cell: Cell, value: bool) -> None:
    assert convert("hospitalised", cell) is value


@pytest.mark.parametrize("cell", ["có lẽ", "2", "-"])
def test_yes_and_no_that_are_neither(cell: str) -> None:
    with pytest.raises(BadCell, match="yes or no"):
        convert("hospitalised", cell)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (field, value, text)
        for field in CHOICES
        for value, meaning in (FIELDS[field].values or {}).items()
        for text in (value, value.upper(), meaning, meaning.capitalize())
    ],
)
def test_every_choice_by_its_code_and_its_vietnamese_name(field: str, value: str, text: str) -> None:
    assert convert(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("sex", "Nam", "male"),
        ("sex", "nữ", "female"),
        ("sex", "NU", "female"),
        ("classification", "Xác định", "confirmed"),
        ("lab", "(+)", "positive"),
        ("lab", "+", "positive"),
        ("lab", "(-)", "negative"),
        ("lab", "Dương tính", "positive"),
        ("lab", "Chờ kết quả", "pending"),
        ("lab", "không rõ", "inconclusive"),
        ("outcome", "Tử vong", "dead"),
        ("outcome", "khỏi", "recovered"),
        ("outcome", "chuyển viện", "transferred"),
        ("origin", "Nội tại", "local"),
        ("origin", "ngoại lai", "imported"),
        ("vaccination", "Chưa tiêm", "no"),
    ],
)
def test_choices_as_offices_write_them(field: str, text: str, value: str) -> None:
    assert convert(field, text) == value


@pytest.mark.parametrize(
    ("field", "text"), [("lab", "-"), ("sex", "khác"), ("outcome", "?"), ("origin", "Lào")]
)
def test_choices_that_are_none(field: str, text: str) -> None:
    with pytest.raises(BadCell) as caught:
        convert(field, text)
    for value in FIELDS[field].values or {}:
        assert value in caught.value.message_vi
        assert value in caught.value.message_en


def test_objects() -> None:
    assert to_object("lab", '{"measles": "dương tính", "rubella": null}') == {
        "measles": "positive",
        "rubella": None,
    }
    assert to_object("external_ids", '{"ecds": " 2023-12-000456 "}') == {"ecds": "2023-12-000456"}
    for wrong in ("dương tính", "[]", '{"ecds": 5}', "{"):
        with pytest.raises(BadCell, match=r"external_ids\.ecds"):
            to_object("external_ids", wrong)
    with pytest.raises(BadCell, match="not in the list"):
        to_object("lab", '{"measles": "maybe"}')


def test_text_and_codes_stay_as_they_are() -> None:
    assert convert("hamlet", " bản Nà Hum ") == "bản Nà Hum"
    assert convert("reporting_facility", 3190.0) == "3190"


def test_every_field_has_a_name_for_its_messages_and_a_column() -> None:
    assert set(DATA_FIELDS) <= FIELDS.keys()
    assert set(DATA_FIELDS) <= set(HEADERS.values())


def test_words_that_mean_two_values_are_refused() -> None:
    with pytest.raises(ValueError, match="both"):
        _keys({"male": ("nam",), "female": ("Nam",)})
    # Without accents they cannot be told apart, with them they can.
    keys = _keys({"a": ("má",), "b": ("mà",)})
    assert sorted(keys.values()) == ["a", "b"]
    assert "ma" not in keys


@pytest.mark.parametrize(
    "text",
    [
        "Tổng cộng",
        "TỔNG CỘNG: 15 ca",
        "Tổng số",
        "cộng",
        "Total",
        "GRAND - TOTAL",
        "Tổng",
        # Composed as some keyboards do.
        "To\u0302\u0309ng co\u0323\u0302ng",
    ],
)
def test_totals(text: str) -> None:
    assert is_total(text)


@pytest.mark.parametrize("text", ["Tổng hợp", "LC-1", "Cộng Hoà", "Totals of what", ""])
def test_no_totals(text: str) -> None:
    assert not is_total(text)


def test_a_message_never_repeats_the_cell() -> None:
    cells: dict[str, Any] = {
        "onset_on": "Lò Văn Pâng",
        "died_at": "Lò Văn Pâng",
        "age_years": "Lò Văn Pâng",
        "sex": "Lò Văn Pâng",
        "hospitalised": "Lò Văn Pâng",
    }
    for field, cell in cells.items():
        with pytest.raises(BadCell) as caught:
            convert(field, cell)
        assert "Pâng" not in caught.value.message_vi + caught.value.message_en
