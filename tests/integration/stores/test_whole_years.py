"""Counts of whole years, and of most of one, come from the districts' totals and say what the ledger says."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.catalogue import load_catalogue
from schemas.catalogue.matching import valid_on
from streams.domain.counts import BASES, COUNTERS
from streams.stores.counts import CountsRequest, Dimension, read_counts, read_counts_of_periods
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from tests.builders import event, position, records
from tests.fakes import run
from tests.ledger_contract import fold

pytestmark = pytest.mark.native

OLD, NEW = date(2024, 12, 31), date(2026, 1, 1)
READ_AT = datetime(2026, 11, 1, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)
FIRST, LAST = date(2022, 11, 1), date(2026, 10, 1)
PROVINCES = {"10", "12", "15", "24", "27"}
# Some communes of these districts went into a commune of another district's surveillance area.
DISTRICTS = ("105", "106", "107", "109", "112")


def _cases() -> Iterator[bytes]:
    """600 cases on both sides of the reform, of communes, districts and provinces, with much unknown."""
    rng = Random(20250701)
    areas = load_catalogue().areas
    by_id = {area.id: area for area in areas}

    def province(area_id: str) -> str:
        parent = by_id[area_id].parent_id
        return by_id[area_id].code if parent is None else province(parent)

    wanted = [area for area in areas if area.kind != "surveillance" and province(area.id) in PROVINCES]
    for number in range(600):
        day = FIRST + timedelta(days=rng.randrange((LAST - FIRST).days))
        kind = rng.choices(["commune", "district", "province"], [8, 1, 1])[0]
        of_kind = [area for area in wanted if area.kind == kind and valid_on(area, day)]
        # No districts since the reform.
        area = rng.choice(of_kind or [area for area in wanted if valid_on(area, day)])
        disease = rng.choice(["dengue", "measles", "rash_fever_susp_measles"])
        agents = {"dengue": ["dengue"], "measles": ["measles"]}.get(disease, ["measles", "rubella"])
        results = [rng.choice(["positive", "negative", "pending"]) for _ in agents]
        extra: dict[str, Any] = {}
        if rng.random() < 0.2:
            extra["outcome"] = "dead"
            if rng.random() < 0.6:
                extra["died_at"] = f"{day + timedelta(days=rng.randrange(40))}T05:00:00+00:00"
        yield event(
            f"W-{number}",
            number + 1,
            time=datetime(day.year, day.month, day.day, 5, tzinfo=UTC),
            disease=disease,
            area_code=area.code,
            onset_on=day.isoformat() if rng.random() < 0.9 else None,
            lab=dict(zip(agents, results, strict=True)),
            **extra,
        )


@pytest.fixture(scope="module")
def told(database_url: str) -> Iterator[Connection[TupleRow]]:
    """The packaged catalogue and those cases; every tenth is retracted."""
    ledger = PostgresLedger(database_url)
    assert run(ledger.replace_positions({0: None}, {0: position()}))
    cases = list(_cases())
    fold(ledger, records(cases, at=READ_AT))
    retracted = [
        event(f"W-{number}", 1_000 + number, "retracted", READ_AT) for number in range(0, len(cases), 10)
    ]
    fold(ledger, records(retracted, len(cases), at=READ_AT))
    ledger.close()
    with connect(database_url) as connection:
        yield connection


def requests() -> st.SearchStrategy[CountsRequest]:
    """Questions that totals may answer, about whole years or most of them."""
    dimensions: list[Dimension] = ["disease", "province", "district", "year"]
    days = st.none() | st.dates(date(2022, 1, 1), date(2026, 12, 31))
    firsts = days | st.integers(2022, 2026).map(lambda year: date(year, 1, 1))
    lasts = days | st.integers(2022, 2026).map(lambda year: date(year, 12, 31))
    return st.builds(
        lambda by, on, basis, place, disease, first, last: CountsRequest(
            tuple(by),
            on,
            basis,
            *place,
            disease,
            first,
            last if first is None or last is None else max(first, last),
        ),
        st.lists(st.sampled_from(dimensions), unique=True),
        st.sampled_from([OLD, NEW]),
        st.sampled_from(BASES),
        st.one_of(
            st.sampled_from([(None, None), ("12", None), ("15", None), ("24", None)]),
            st.sampled_from([("12", district) for district in DISTRICTS]),
        ),
        st.sampled_from([None, "dengue", "measles", "rash_fever_susp_measles"]),
        firsts,
        lasts,
    )


@settings(max_examples=100, deadline=None)
@given(requests())
def test_whole_years_are_what_the_ledger_says(told: Connection[TupleRow], request_: CountsRequest) -> None:
    expected = read_counts(told, replace(request_, as_of=LATER))
    for row in expected:
        if row["approximate_share"] is not None:
            # A sum of fractions, added up in any order.
            row["approximate_share"] = pytest.approx(row["approximate_share"], abs=2e-4)
    assert read_counts(told, request_) == expected


def test_several_periods_are_several_questions(told: Connection[TupleRow]) -> None:
    periods = [
        (date(2023, 1, 1), date(2023, 12, 31)),
        (date(2024, 1, 1), date(2024, 11, 22)),
        (date(2025, 5, 1), date(2025, 8, 31)),
        (None, date(2023, 8, 31)),
        (None, None),
    ]
    groupings: list[tuple[Dimension, ...]] = [("disease", "district"), ("year",), ("month",), ()]
    for by in groupings:
        for basis in BASES:
            asked = CountsRequest(by, OLD, basis, province="12")
            apart = [replace(asked, first=first, last=last, as_of=LATER) for first, last in periods]
            answers = read_counts_of_periods(told, asked, periods)
            assert without_shares(answers) == without_shares(read_counts(told, one) for one in apart)
            assert all(answers[3:])


def without_shares(answers: Iterable[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """Without sums of fractions, which are added up in any order."""
    return [[{**row, "approximate_share": None} for row in rows] for rows in answers]


STRUCTURES = (date(2024, 1, 1), date(2024, 6, 1), date(2025, 3, 1), NEW)


@settings(max_examples=40, deadline=None)
@given(requests())
def test_totals_agree_in_every_geography(told: Connection[TupleRow], request_: CountsRequest) -> None:
    """Of the country, by disease and year, whatever areas are shown beside."""
    by = [dimension for dimension in request_.by if dimension in ("disease", "year")]
    everywhere = replace(request_, province=None, district=None)
    expected = sums(read_counts(told, replace(everywhere, by=tuple(by), geography_on=OLD)), by)
    for on in STRUCTURES:
        assert sums(read_counts(told, replace(everywhere, geography_on=on)), by) == expected


def sums(rows: Iterable[dict[str, Any]], by: Sequence[str]) -> dict[tuple[Any, ...], Counter[str]]:
    """Every counter added up by some dimensions."""
    found: dict[tuple[Any, ...], Counter[str]] = {}
    for row in rows:
        of_group = found.setdefault(tuple(row[dimension] for dimension in by), Counter())
        of_group.update({counter: row[counter] for counter in COUNTERS})
    return found


def test_the_years_asked_about_hold_cases_that_are_approximate_resolved_and_without_a_day(
    told: Connection[TupleRow],
) -> None:
    """Else the test above would compare nothing with nothing."""
    rows = read_counts(told, CountsRequest(("disease", "district", "year"), OLD, province="12"))
    assert sum(row["notified"] for row in rows) > 50
    assert any(0 < row["approximate_share"] < 1 for row in rows if row["approximate"])
    assert any(row["resolved_from_syndrome"] for row in rows)
    assert any(row["district"] is None for row in rows)
    deaths = read_counts(told, CountsRequest(("year",), OLD, "death"))
    assert deaths[-1]["year"] is None
    assert deaths[-1]["deaths"] > 5


@pytest.mark.parametrize(
    ("asked", "is_from_totals"),
    [
        ({}, True),
        ({"by": ("disease", "year")}, True),
        ({"province": "12"}, True),
        ({"first": date(2023, 1, 1), "last": date(2024, 12, 31)}, True),
        ({"first": date(2023, 1, 2), "last": date(2024, 12, 31)}, True),
        ({"first": date(2023, 1, 1), "last": date(2023, 11, 22)}, True),
        ({"first": date(2023, 1, 1), "last": date(2023, 6, 30)}, False),
        ({"first": date(2022, 12, 1), "last": date(2023, 2, 1)}, False),
        ({"by": ("day",)}, False),
        ({"by": ("week",)}, False),
        ({"by": ("month",)}, False),
        ({"by": ("commune",)}, False),
        ({"by": ("agent",)}, False),
        ({"as_of": LATER}, False),
    ],
)
def test_most_of_a_year_is_read_from_totals(
    told: Connection[TupleRow], asked: dict[str, Any], is_from_totals: bool
) -> None:
    request_ = CountsRequest(**{"by": (), "geography_on": NEW, **asked})
    before = sum(row["imported"] for row in read_counts(told, request_))
    with told.transaction(force_rollback=True):
        told.execute("update district_totals set imported = imported + 1000 where year = 2023 and via = ''")
        after = sum(row["imported"] for row in read_counts(told, request_))
    assert (after > before) == is_from_totals


def test_a_district_in_two_places_of_the_answer_is_read_by_day(told: Connection[TupleRow]) -> None:
    """Its communes went into two surveillance areas: its total cannot be divided between them."""
    by_district = CountsRequest(("district",), NEW, province="12")
    in_all = replace(by_district, by=())
    before = [sum(row["imported"] for row in read_counts(told, asked)) for asked in (by_district, in_all)]
    with told.transaction(force_rollback=True):
        changed = told.execute(
            """
            update district_totals as dt set imported = imported + 1000
            from (
                select a.district_id
                from areas as a inner join area_geographies as ag on a.area_id = ag.area_id
                where ag.structure_on = '2025-07-01' and a.province_id = '12@start'
                group by a.district_id
                having count(distinct ag.district_id) > 1
            ) as divided
            where dt.district_id = divided.district_id
            """
        ).rowcount
        after = [sum(row["imported"] for row in read_counts(told, asked)) for asked in (by_district, in_all)]
    assert changed > 0
    assert after[0] == before[0]
    assert after[1] > before[1]
