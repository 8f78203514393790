"""A store the size of the country: ten years of invented cases in every commune, for load tests and boards.

The tables that the counts are read from are filled by COPY, without Kafka and without a journal:
`daily_counts`, `district_totals` and, where asked for, `cases` (whose counted columns the daily counts are
the sums of; their registers are empty). `canhdich audit` therefore finds drift in such a database: it is
for reading only.

    python -m services.demo.country DATABASE_URL --scale 0.01
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.catalogue import load_catalogue
from schemas.sql import query
from streams.domain.counts import COUNTERS, FLAG
from streams.domain.errors import ConfigurationError
from streams.stores.catalogue import load
from streams.stores.database import connect, migrate

CASES: Final = 5_000_000
DISEASES: Final = 60
FIRST_YEAR: Final = 2017
YEARS: Final = 10
REFORM: Final = date(2025, 7, 1)

# COPY's binary format counts days from 2000-01-01.
_EPOCH: Final = date(2000, 1, 1).toordinal()
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_NO_DEATH: Final = -(2**31)
"""PostgreSQL's '-infinity': stands for no day in the staging table, whose columns are never null."""

_COLUMNS: Final = (
    ("case_no", ">i4"),
    ("disease_no", ">i2"),
    ("area_no", ">i4"),
    ("onset_day", ">i4"),
    ("report_day", ">i4"),
    ("death_day", ">i4"),
    ("flags", ">i2"),
)
_STAGING: Final = """
create temporary table staged_country (
    case_no int, disease_no smallint, area_no int, onset_day date, report_day date, death_day date, flags
    smallint
) on commit drop;
create temporary table country_areas (area_no int primary key, area_id text) on commit drop;
create temporary table country_diseases (disease_no smallint primary key, disease text) on commit drop;
"""
_SUMS: Final = ", ".join(f"sum(s.flags >> {bit} & 1)::int" for bit in range(len(COUNTERS)))
# A positive case also stands in the row of its agent, which has the disease's code.
_FILL_COUNTS: Final = f"""
insert into daily_counts (disease, area_id, basis, day, via, agent, {", ".join(COUNTERS)})
select d.disease, a.area_id, s.basis, s.day, '', case when s.is_agent then d.disease else '' end, {_SUMS}
from (
    select s.disease_no, s.area_no, b.basis, b.day, p.is_agent, b.flags
    from staged_country as s
    cross join lateral (
        values
        ('onset', s.onset_day, s.flags),
        ('report', s.report_day, s.flags),
        ('death', nullif(s.death_day, '-infinity'), (s.flags & {FLAG["deaths"]})::smallint)
    ) as b (basis, day, flags)
    cross join (values (false), (true)) as p (is_agent)
    where
        b.flags <> 0
        and (not p.is_agent or s.flags & {FLAG["positive"]} <> 0)
) as s
inner join country_areas as a on s.area_no = a.area_no
inner join country_diseases as d on s.disease_no = d.disease_no
group by d.disease, a.area_id, s.basis, s.day, s.is_agent
order by s.day
on conflict on constraint daily_counts_key do update
    set {", ".join(f"{name} = daily_counts.{name} + excluded.{name}" for name in COUNTERS)}
"""  # noqa: S608 - made of constants of this program
_FILL_CASES: Final = f"""
insert into cases (
    subject, registers, counted_disease, counted_area_id, counted_onset_day, counted_report_day,
    counted_death_day, counted_flags, counted_resolved, counted_agents
)
select
    'COUNTRY-' || lpad(s.case_no::text, 8, '0'), '{{}}', d.disease, a.area_id, s.onset_day, s.report_day,
    nullif(s.death_day, '-infinity'), s.flags, '{{}}',
    case when s.flags & {FLAG["positive"]} <> 0 then array[d.disease] else '{{}}' end
from staged_country as s
inner join country_areas as a on s.area_no = a.area_no
inner join country_diseases as d on s.disease_no = d.disease_no
"""  # noqa: S608 - made of constants of this program


@dataclass(frozen=True, slots=True)
class Filled:
    """What was put into the tables."""

    cases: int
    daily_counts: int
    district_totals: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Places:
    """Communes to draw from: row numbers of the areas, and the running sum of their shares, up to 1."""

    numbers: NDArray[np.int32]
    shares: NDArray[np.float64]


def fill_country(
    connection: Connection[TupleRow],
    *,
    scale: float = 1.0,
    seed: int = 1,
    years: int = YEARS,
    diseases: int = DISEASES,
    with_cases: bool = False,
) -> Filled:
    """Fill a migrated database that has a catalogue and no counts; the same arguments give the same rows.

    Cases stand on the communes of their day: some 10,000 until 2025-06-30, 3,321 after it. A few diseases
    have most of the cases, a few communes have many times those of others, and each disease has its season.

    Args:
        connection: In autocommit; one transaction per year.
        scale: 1.0 is about five million cases.
        seed: Of the draws.
        years: How many, from 2017 on.
        diseases: How many of the catalogue, in its order.
        with_cases: Also fill `cases`.

    Raises:
        ConfigurationError: there are counts already, or no catalogue.
    """
    started = time.perf_counter()
    if connection.execute("select exists (select from daily_counts)").fetchone() != (False,):
        raise ConfigurationError("The database holds counts already: the country goes into an empty one.")
    rng = np.random.default_rng(seed)
    areas = [area_id for (area_id,) in connection.execute("select area_id from areas order by area_id")]
    codes = [code for (code,) in connection.execute(_DISEASES_QUERY, (diseases,))]
    before, after = _places(connection, areas, rng)
    shares = 1 / np.arange(1, len(codes) + 1)
    expected = CASES * scale / YEARS * shares / shares.sum()
    peaks = rng.uniform(0, 365, len(codes))
    total = 0
    for year in range(FIRST_YEAR, FIRST_YEAR + years):
        drawn = rng.poisson(expected * rng.lognormal(0, 0.3, len(codes)))
        cases = _cases_of_year(rng, year, drawn, peaks, (before, after), total)
        total += len(cases)
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(_STAGING)
            with cursor.copy("copy staged_country from stdin (format binary)") as copy:
                for block in _binary(cases):
                    copy.write(block)
            for table, names in (("country_areas", areas), ("country_diseases", codes)):
                with cursor.copy(f"copy {table} from stdin") as copy:
                    for number, name in enumerate(names):
                        copy.write_row((number, name))
            cursor.execute("analyze staged_country, country_areas, country_diseases")
            cursor.execute(_FILL_COUNTS)
            if with_cases:
                cursor.execute(_FILL_CASES)
    with connection.transaction():
        connection.execute(query("recompute_district_totals"))
    connection.execute("vacuum (analyze) daily_counts, district_totals, cases")
    sizes = connection.execute(
        "select (select count(*) from daily_counts), (select count(*) from district_totals)"
    ).fetchone()
    assert sizes is not None  # noqa: S101 - a select of two counts has one row
    daily_counts, district_totals = sizes
    return Filled(total, daily_counts, district_totals, time.perf_counter() - started)


_DISEASES_QUERY: Final = "select code from diseases order by report_order limit %s"
# An old commune shares its successor's weight with the others that went into it, so that the series goes on.
_PLACES_QUERY: Final = """
select a.area_id, coalesce(ag.commune_id, a.area_id) as grown_to, a.valid_to is null as is_new
from areas as a
inner join area_geographies as ag on a.area_id = ag.area_id
where
    a.kind = 'commune'
    and ag.structure_on = (select max(structure_on) from area_geographies)
    and (
        a.valid_to is null
        or a.valid_to = %(reform)s::date - 1
    )
order by a.area_id
"""


def _places(
    connection: Connection[TupleRow], areas: list[str], rng: np.random.Generator
) -> tuple[_Places, _Places]:
    """The communes before and after the reform."""
    rows = connection.execute(_PLACES_QUERY, {"reform": REFORM}).fetchall()
    if not rows:
        raise ConfigurationError("The database has no catalogue: run `canhdich migrate` first.")
    grown = sorted({grown_to for _, grown_to, _ in rows})
    weight_of = dict(zip(grown, rng.lognormal(0, 0.8, len(grown)), strict=True))
    number_of = {area_id: number for number, area_id in enumerate(areas)}

    def places(is_new: bool) -> _Places:
        chosen = [(area_id, grown_to) for area_id, grown_to, new in rows if new == is_new]
        into: dict[str, int] = {}
        for _, grown_to in chosen:
            into[grown_to] = into.get(grown_to, 0) + 1
        weights = np.array([weight_of[grown_to] / into[grown_to] for _, grown_to in chosen])
        numbers = np.array([number_of[area_id] for area_id, _ in chosen], dtype=np.int32)
        return _Places(numbers, np.cumsum(weights) / weights.sum())

    return places(False), places(True)


def _cases_of_year(
    rng: np.random.Generator,
    year: int,
    drawn: NDArray[Any],
    peaks: NDArray[np.float64],
    places: tuple[_Places, _Places],
    first_no: int,
) -> NDArray[Any]:
    """Every case with its onset in a year, in the order of the onsets; shape (n,), fields of _COLUMNS."""
    n = int(drawn.sum())
    disease = np.repeat(np.arange(len(drawn)), drawn)
    first = date(year, 1, 1).toordinal() - _EPOCH
    length = date(year + 1, 1, 1).toordinal() - date(year, 1, 1).toordinal()
    # A third of the cases comes at any time, the rest around the peak of the disease's season.
    seasonal = np.floor(rng.normal(peaks[disease], 45, n)).astype(np.int64) % length
    onset = first + np.where(rng.random(n) < 1 / 3, rng.integers(0, length, n), seasonal)
    order = np.argsort(onset, kind="stable")
    disease, onset = disease[order], onset[order]

    chance = rng.random(n)
    area = np.empty(n, dtype=np.int64)
    is_after = onset >= REFORM.toordinal() - _EPOCH
    for where, place in ((~is_after, places[0]), (is_after, places[1])):
        # The last share is 1 but for rounding.
        found = np.minimum(np.searchsorted(place.shares, chance[where]), len(place.numbers) - 1)
        area[where] = place.numbers[found]

    report = onset + rng.geometric(0.25, n) - 1
    classification = rng.choice(
        ["suspected", "probable", "confirmed", "discarded"], n, p=[0.4, 0.1, 0.45, 0.05]
    )
    result = rng.choice(["positive", "negative", "pending", ""], n, p=[0.4, 0.15, 0.05, 0.4])
    is_dead = (rng.random(n) < 0.004) & (classification != "discarded")
    flags = np.full(n, FLAG["notified"], dtype=np.int64)
    for name in ("suspected", "probable", "confirmed", "discarded"):
        flags |= np.where(classification == name, FLAG[name], 0)
    for name in ("positive", "negative", "pending"):
        flags |= np.where(result == name, FLAG[name], 0)
    flags |= np.where(is_dead, FLAG["deaths"], 0)
    flags |= np.where(rng.random(n) < 0.05, FLAG["imported"], 0)
    flags |= np.where(rng.random(n) < 0.3, FLAG["hospitalised"], 0)
    # One death in twenty has no day.
    has_day = is_dead & (rng.random(n) < 0.95)
    death = np.where(has_day, onset + rng.geometric(0.1, n), _NO_DEATH)

    cases = np.empty(n, dtype=list(_COLUMNS))
    values = (np.arange(first_no, first_no + n), disease, area, onset, report, death, flags)
    for (name, _), value in zip(_COLUMNS, values, strict=True):
        cases[name] = value
    return cases


def _binary(cases: NDArray[Any]) -> Iterator[bytes]:
    """Rows as COPY's binary format has them: a count of columns, then each value after its length."""
    layout: list[tuple[str, str]] = [("columns", ">i2")]
    for name, kind in _COLUMNS:
        layout += [(f"{name}_length", ">i4"), (name, kind)]
    rows = np.empty(len(cases), dtype=layout)
    rows["columns"] = len(_COLUMNS)
    for name, kind in _COLUMNS:
        rows[f"{name}_length"] = np.dtype(kind).itemsize
        rows[name] = cases[name]
    yield _HEADER
    yield rows.tobytes()
    yield _TRAILER


def main() -> int:
    """Fill the database whose address is given, migrated and with the packaged catalogue."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("database_url", help="postgresql://user:password@host:port/database, without counts")
    parser.add_argument("--scale", type=float, default=1.0, help="1.0 is about five million cases")
    parser.add_argument("--with-cases", action="store_true", help="fill the table of cases, too")
    options = parser.parse_args()
    migrate(options.database_url)
    with connect(options.database_url) as connection:
        load(connection, load_catalogue(), "country")
        print(fill_country(connection, scale=options.scale, with_cases=options.with_cases))
    return 0


if __name__ == "__main__":
    sys.exit(main())
