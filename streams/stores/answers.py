"""The rows that `canhdich counts` prints: counts, and where asked for rates and comparisons beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from psycopg import Connection
from psycopg.rows import TupleRow

from streams.domain.areas import code_of
from streams.domain.as_of import Vector
from streams.domain.calendar import Period
from streams.domain.comparison import NO_DAY, Mode, Note, Row, row_period, unit_in
from streams.domain.errors import ConfigurationError
from streams.domain.populations import FARTHEST, LEVELS, Level, NotKnown, Population, Populations
from streams.domain.rates import case_fatality, incidence
from streams.stores.comparison import period_of, read_all_counts, read_compared
from streams.stores.counts import (
    TIME_DIMENSIONS,
    CountsRequest,
    area_id_of,
    areas_of_codes,
    structure_in_force,
)
from streams.stores.populations import current_load, read_populations


@dataclass(frozen=True, slots=True)
class Extras:
    """What is asked for beside counts.

    Attributes:
        rates: Incidence and case fatality.
        compare: With which earlier years.
        today: Local day: of a period that is not over only the days that have come are compared; None: all.
        population_load_id: Which populations; None: those in force.
    """

    rates: bool = False
    compare: Mode | None = None
    today: date | None = None
    population_load_id: int | None = None


NO_EXTRAS: Final = Extras()


def read_answer(
    connection: Connection[TupleRow],
    request: CountsRequest,
    extras: Extras = NO_EXTRAS,
    vector: Vector | None = None,
) -> list[Row]:
    """Rows of counts with what else was asked for.

    Args:
        connection: Used for one transaction.
        request: What is asked for.
        extras: What is asked for beside.
        vector: Count only what it holds; None: all that is counted.

    Raises:
        ConfigurationError: a code means nothing in that structure; the period does not fit.
    """
    with connection.transaction():
        if extras.compare is None:
            rows = read_all_counts(connection, request, vector)
        else:
            rows = read_compared(connection, request, extras.compare, extras.today, vector)
        return _with_rates(connection, rows, request, extras) if extras.rates else rows


def _with_rates(
    connection: Connection[TupleRow], rows: Sequence[Row], request: CountsRequest, extras: Extras
) -> list[Row]:
    if sum(dimension in TIME_DIMENSIONS for dimension in request.by) > 1:
        raise ConfigurationError("--rates takes one of day, week, month, year: leave out the others.")
    period = period_of(request, extras.today, "--rates")
    structure_on = structure_in_force(connection, request.geography_on)
    areas = areas_of_codes(connection, (request.province,))
    province_id = area_id_of(areas, "province", request.province, request.geography_on)
    load_id = extras.population_load_id
    if load_id is None and (load := current_load(connection)) is not None:
        load_id = load.id
    populations = read_populations(connection, structure_on, province_id, load_id)
    unit = unit_in(request.by)
    return [{**row, **_rates(row, request, row_period(row, unit, period), populations)} for row in rows]


def _rates(row: Row, request: CountsRequest, period: Period | None, populations: Populations) -> Row:
    columns: Row = dict.fromkeys(_RATE_COLUMNS)
    columns["population_marks"] = []
    columns["case_fatality_cases"] = row["notified"]
    if request.basis == "death":
        return {**columns, "case_fatality_cases": None, "rate_note": _NO_COHORT}
    if row["notified"]:
        fatality = case_fatality(row["deaths"], row["notified"])
        columns |= {
            "case_fatality": round(fatality.value, 4),
            "case_fatality_low": round(fatality.low, 4),
            "case_fatality_high": round(fatality.high, 4),
            "case_fatality_unstable": fatality.is_unstable,
        }
    if period is None:
        return {**columns, "rate_note": NO_DAY}
    found = _population(row, request, period, populations)
    if not isinstance(found, Population):
        return {**columns, "rate_note": found}
    rate = incidence(row["notified"], found.value)
    return {
        **columns,
        "population": round(found.value),
        "population_marks": sorted(found.marks),
        "incidence_per_100k": round(rate.value, 4),
        "incidence_per_100k_low": round(rate.low, 4),
        "incidence_per_100k_high": round(rate.high, 4),
        "incidence_unstable": rate.is_unstable,
    }


_RATE_COLUMNS: Final = (
    "population",
    "population_marks",
    "incidence_per_100k",
    "incidence_per_100k_low",
    "incidence_per_100k_high",
    "incidence_unstable",
    "case_fatality",
    "case_fatality_low",
    "case_fatality_high",
    "case_fatality_cases",
    "case_fatality_unstable",
    "rate_note",
)


def _population(
    row: Row, request: CountsRequest, period: Period, populations: Populations
) -> Population | Note:
    """The people of a row's smallest area, or why they are not known."""
    level, code = _place(row, request)
    if level is None:
        found = populations.of("province", None, period)
    elif code is None:
        return _NO_AREA
    else:
        found = populations.of(level, populations.id_of(level, code), period)
    if isinstance(found, NotKnown):
        return _not_known(found)
    return found if found.value > 0 else _not_known(NotKnown("no_population"))


def _place(row: Row, request: CountsRequest) -> tuple[Level | None, str | None]:
    """The smallest area that a row names, else the one asked about; no level for the whole country."""
    for level in reversed(LEVELS):
        if level in request.by:
            return level, row[level]
    if request.district is not None:
        return "district", request.district
    return (None, None) if request.province is None else ("province", request.province)


def _not_known(found: NotKnown) -> Note:
    codes = sorted({code_of(area_id) for area_id in found.area_ids})
    listed = ", ".join(codes[:5]) + (" …" if len(codes) > 5 else "")
    if found.reason == "too_far":
        return Note(
            code="population_too_far",
            message_vi=f"Dân số đã biết cách kỳ này hơn {FARTHEST} năm ({listed}).",
            message_en=f"The known populations are more than {FARTHEST} years away ({listed}).",
        )
    return Note(
        code="no_population",
        message_vi=f"Chưa có dân số của {listed or 'địa bàn này'}: nạp bằng `canhdich populations load`.",
        message_en=f"No population of {listed or 'this area'}: load it with `canhdich populations load`.",
    )


_NO_AREA: Final = Note(
    code="no_area",
    message_vi="Không rõ địa bàn: không có dân số để tính tỷ suất.",
    message_en="The area is not known: there is no population to divide by.",
)
_NO_COHORT: Final = Note(
    code="basis_death",
    message_vi="Theo ngày tử vong không có số mắc cùng nhóm: dùng --basis onset hoặc report.",
    message_en="By the day of death there are no cases of the same cohort: use --basis onset or report.",
)
