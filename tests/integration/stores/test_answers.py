"""Rates and comparisons from real tables: populations loaded, earlier years counted, snapshots reprinted."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

import schemas.catalogue as published
from services.importing.populations import read_packaged, read_rows
from streams.domain.errors import ConfigurationError
from streams.domain.positions import TOPIC
from streams.stores.answers import Extras, read_answer
from streams.stores.catalogue import load
from streams.stores.counts import CountsRequest
from streams.stores.database import connect
from streams.stores.populations import (
    OperatorFile,
    PostgresPopulations,
    RowsRefused,
    Stated,
    current_load,
    load_file,
    load_packaged,
    read_estimates,
    read_stated,
)
from streams.stores.snapshots import publish_counts, reprint_counts
from tests.builders import event, records, small_catalogue
from tests.integration.stores.conftest import LATER, PostgresStore
from tests.ledger_contract import fold

pytestmark = pytest.mark.native

YEAR = CountsRequest(
    by=("disease",),
    geography_on=date(2023, 12, 31),
    province="12",
    first=date(2023, 1, 1),
    last=date(2023, 12, 31),
)
LAST_YEAR, FIVE_YEARS, RATES = (
    Extras(compare="previous-year"),
    Extras(compare="median-5y"),
    Extras(rates=True),
)


def operator_file(*rows: tuple[str, int, int], on: date | None = None) -> OperatorFile:
    stated = [
        Stated(number, code, on or date(year, 7, 1), year, people, "census")
        for number, (code, year, people) in enumerate(rows, 2)
    ]
    return OperatorFile("dan-so.csv", b"sha", stated)


def told(store: PostgresStore, *cases: dict[str, Any]) -> None:
    events = [event(f"LC-{n}", n, time=LATER, **case) for n, case in enumerate(cases, 1)]
    fold(store.open(), records(events, at=LATER))


def dengue(onset_on: str, **data: Any) -> dict[str, Any]:
    return {"onset_on": onset_on, "reported_on": onset_on, **data}


def only(connection: Connection[TupleRow], request: CountsRequest, extras: Extras) -> dict[str, Any]:
    (row,) = read_answer(connection, request, extras)
    return row


def only_of(document: str) -> dict[str, Any]:
    (row,) = orjson.loads(document)
    return dict(row)


def test_a_year_beside_the_year_before(store: PostgresStore) -> None:
    told(
        store,
        dengue("2023-02-01"),
        dengue("2023-08-01", outcome="dead"),
        dengue("2022-08-01"),
        dengue("2023-09-01", disease="measles"),
    )
    rows = {row["disease"]: row for row in read_answer(store.connection, YEAR, LAST_YEAR)}
    assert rows["dengue"]["previous_notified"] == 1
    assert (rows["dengue"]["change"], rows["dengue"]["change_deaths"]) == (1, 1)
    # There was no measles in 2022, and no report that said so.
    assert rows["measles"]["change"] is None
    assert rows["measles"]["comparison_note"]["code"] == "not_known"
    total = only(store.connection, replace(YEAR, by=()), LAST_YEAR)
    assert (total["notified"], total["change"]) == (3, None)
    assert "measles" in total["comparison_note"]["message_vi"]
    assert "dengue" not in total["comparison_note"]["message_vi"]


def test_a_day_from_which_case_reports_count_makes_silence_a_zero(store: PostgresStore) -> None:
    told(store, dengue("2023-09-01", disease="measles"))
    since = (published.CaseReportsSince("measles", "12", date(2020, 1, 1)),)
    load(store.connection, small_catalogue("since", case_reports_since=since), "test")
    row = only(store.connection, YEAR, LAST_YEAR)
    assert (row["previous_notified"], row["change"], row["comparison_note"]["code"]) == (0, 1, "from_zero")
    row = only(store.connection, YEAR, FIVE_YEARS)
    assert (row["median_5y"], row["years_5y"]) == (0, [2020, 2021, 2022])
    assert row["comparison_note"]["code"] == "some_years_not_known"


def test_a_comparison_across_the_reform_counts_in_one_structure(store: PostgresStore) -> None:
    new = dengue("2025-08-01", area_code="03390")
    told(store, new, dengue("2024-08-01"), dengue("2024-09-01", area_code="03549"))
    request = replace(
        YEAR,
        by=("district",),
        geography_on=date(2025, 12, 31),
        disease="dengue",
        first=date(2025, 1, 1),
        last=date(2025, 12, 31),
    )
    rows = {row["district"]: row for row in read_answer(store.connection, request, LAST_YEAR)}
    assert {district: (row["notified"], row["previous_notified"]) for district, row in rows.items()} == {
        "106": (1, 1),
        "109": (0, 1),
    }


def test_a_period_that_is_not_over_is_compared_as_far_as_it_has_come(store: PostgresStore) -> None:
    told(store, dengue("2023-02-01"), dengue("2022-02-01"), dengue("2022-08-01"))
    row = only(store.connection, YEAR, replace(LAST_YEAR, today=date(2023, 6, 30)))
    assert (row["previous_to"], row["previous_notified"]) == (date(2022, 6, 30), 1)


@pytest.mark.parametrize(
    ("changes", "extras", "reason"),
    [
        ({"first": None}, LAST_YEAR, "--compare wants a period"),
        ({"last": None}, RATES, "--rates wants a period"),
        ({"by": ("week", "month")}, LAST_YEAR, "--compare takes one of week, month"),
        ({"by": ("week", "month")}, RATES, "--rates takes one of"),
        ({}, Extras(compare="previous-year", today=date(2022, 1, 1)), "has not begun"),
        ({"province": "99"}, RATES, "no province had this code"),
    ],
)
def test_a_question_without_an_answer_is_refused(
    connection: Connection[TupleRow], changes: dict[str, Any], extras: Extras, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        read_answer(connection, replace(YEAR, **changes), extras)


def test_rates_of_a_province_and_of_its_districts(store: PostgresStore) -> None:
    told(
        store,
        dengue("2023-02-01"),
        dengue("2023-08-01", outcome="dead"),
        dengue("2023-08-02", area_code="12"),
    )
    load_file(store.connection, operator_file(("12", 2023, 400_000), ("106", 2023, 100_000)), "test")
    row = only(store.connection, YEAR, RATES)
    assert (row["population"], row["population_marks"], row["incidence_per_100k"]) == (400_000, [], 0.75)
    assert (row["case_fatality"], row["case_fatality_cases"], row["incidence_unstable"]) == (0.3333, 3, True)
    districts = {
        row["district"]: row for row in read_answer(store.connection, replace(YEAR, by=("district",)), RATES)
    }
    assert districts["106"]["incidence_per_100k"] == 2.0
    assert districts[None]["incidence_per_100k"] is None
    assert districts[None]["rate_note"]["code"] == "no_area"
    communes = {
        row["commune"]: row for row in read_answer(store.connection, replace(YEAR, by=("commune",)), RATES)
    }
    assert (communes["03412"]["population"], communes["03412"]["population_marks"]) == (50_000, ["spread"])
    by_month = read_answer(store.connection, replace(YEAR, by=("month",)), RATES)
    assert sum(row["incidence_per_100k"] for row in by_month) == row["incidence_per_100k"] == 0.75


def test_without_a_population_or_a_cohort_a_rate_says_so(store: PostgresStore) -> None:
    told(store, dengue("2023-08-01", died_at="2023-08-05"))
    row = only(store.connection, YEAR, RATES)
    assert (row["incidence_per_100k"], row["rate_note"]["code"], row["case_fatality"]) == (
        None,
        "no_population",
        1.0,
    )
    row = only(store.connection, replace(YEAR, basis="death"), RATES)
    assert (row["case_fatality"], row["rate_note"]["code"]) == (None, "basis_death")


def test_a_population_follows_the_links_of_its_areas(connection: Connection[TupleRow]) -> None:
    load_file(connection, operator_file(("12", 2023, 400_000)), "test")
    found = {row["area"]: row for row in read_estimates(connection, "commune", date(2026, 7, 1), "12")}
    # 03412, and 03390 of before, went into 03390; 03549 and most of 03552 into 03549.
    assert {area: row["population"] for area, row in found.items()} == {"03390": 200_000, "03549": 200_000}
    assert found["03390"]["population_marks"] == ["carried", "extrapolated", "spread"]
    assert "approximate" in found["03549"]["population_marks"]
    (province,) = read_estimates(connection, "province", date(2026, 7, 1), "12")
    assert (province["population"], province["population_marks"]) == (400_000, ["carried", "extrapolated"])


def test_the_operators_file_stands_before_the_package_and_replaces_the_one_before(
    connection: Connection[TupleRow],
) -> None:
    packaged = [Stated(2, "12", date(2023, 7, 1), 2023, 489_180, "report")]
    load_packaged(connection, "v1", packaged, "migrate")
    assert load_packaged(connection, "v1", packaged, "migrate").id == 1
    load_file(connection, operator_file(("12", 2023, 500_000), ("106", 2023, 90_000)), "test")
    load_file(connection, operator_file(("109", 2023, 80_000)), "test")
    stated = {(row["area_id"], row["population"]) for row in read_stated(connection)}
    assert stated == {("12@start", 489_180), ("109@start", 80_000)}
    # A new release brings new figures of its own, and leaves the operator's.
    load_packaged(connection, "v2", [replace(packaged[0], population=489_181)], "migrate")
    stated = {(row["area_id"], row["population"]) for row in read_stated(connection)}
    assert stated == {("12@start", 489_181), ("109@start", 80_000)}
    last = current_load(connection)
    assert last is not None
    assert (last.id, last.file_name) == (4, "dan-so.csv")


@pytest.mark.parametrize(
    ("rows", "row", "field", "message"),
    [
        ([("12", 2023, 10), ("99", 2023, 10)], 3, "area_code", "No area ever had this code"),
        ([("03412", 2026, 10)], 2, "area_code", "commune 03412@start"),
        ([("12", 2023, 10), ("12", 2023, 11)], 3, "year", "row 2"),
        ([("12", 2023, 100), ("106", 2023, 60), ("109", 2023, 41)], 4, "population", "101 people in 2023"),
        ([("106", 2023, 60), ("03412", 2023, 61)], 3, "population", "more than the whole"),
    ],
)
def test_a_wrong_row_is_refused_and_nothing_is_loaded(
    connection: Connection[TupleRow], rows: list[tuple[str, int, int]], row: int, field: str, message: str
) -> None:
    with pytest.raises(RowsRefused) as refused:
        load_file(connection, operator_file(*rows), "test")
    (fault,) = refused.value.faults
    assert (fault.row, fault.field) == (row, field)
    assert message in fault.message_en
    assert fault.message_vi
    assert current_load(connection) is None


def test_a_surveillance_area_may_have_a_population(connection: Connection[TupleRow]) -> None:
    load_file(connection, operator_file(("106", 2026, 90_000)), "test")
    (row,) = read_stated(connection)
    assert row["area_id"] == "106@2025-07-01"


def test_one_area_for_the_alert_rules(small_database_url: str, connection: Connection[TupleRow]) -> None:
    load_file(connection, operator_file(("12", 2023, 400_000)), "test")
    populations = PostgresPopulations(small_database_url)
    assert populations.population("12@start", date(2023, 5, 1)) == 400_000
    assert populations.population("106@2025-07-01", date(2026, 5, 1)) == 200_000
    assert populations.population("12@start", date(2040, 5, 1)) is None
    assert populations.population("99@start", date(2023, 5, 1)) is None
    load_file(connection, operator_file(("12", 2023, 500_000)), "test")
    assert populations.population("12@start", date(2023, 5, 1)) == 500_000


def test_the_packaged_figures_are_those_of_the_reports(fresh_database_url: str) -> None:

    with connect(fresh_database_url) as connection:
        load_packaged(connection, *read_packaged(), "migrate")
        for day, people in ((date(2022, 7, 1), 484_146), (date(2023, 7, 1), 489_180)):
            (row,) = read_estimates(connection, "province", day, "12")
            assert (row["population"], row["population_marks"]) == (people, [])
        (row,) = read_estimates(connection, "province", date(2023, 7, 1), "24")
        assert row["population"] == 1_922_700
        # Bắc Ninh of today is Bắc Giang and the old Bắc Ninh, of which nothing is known.
        (row,) = read_estimates(connection, "province", date(2025, 7, 1), "24")
        assert row["population"] is None
        districts = read_estimates(connection, "district", date(2023, 7, 1), "12")
        assert sum(row["population"] for row in districts) == pytest.approx(489_180, abs=4)


@pytest.mark.parametrize("extras", [LAST_YEAR, FIVE_YEARS, Extras(rates=True, compare="previous-year")])
def test_a_snapshot_prints_rates_and_comparisons_again(store: PostgresStore, extras: Extras) -> None:
    connection = store.connection
    told(store, dengue("2023-02-01"), dengue("2022-02-01"), dengue("2021-02-01"), dengue("2020-02-01"))
    load_file(connection, operator_file(("12", 2023, 400_000)), "test")
    today = replace(extras, today=date(2023, 12, 1))
    snapshot = publish_counts(connection, TOPIC, "Năm 2023", YEAR, None, today)
    assert snapshot is not None
    assert only_of(snapshot.document)["change"] == 0
    late = [event(f"LC-late-{n}", 90 + n, time=LATER, onset_on=f"{2020 + n}-02-03") for n in range(3)]
    fold(store.open(), records(late, first_offset=4, at=LATER + timedelta(hours=1)))
    load_file(connection, operator_file(("12", 2023, 500_000)), "test")
    now = orjson.loads(orjson.dumps(only(connection, YEAR, today)))
    assert now != only_of(snapshot.document)
    again = reprint_counts(connection, snapshot)
    assert (again.document, again.differs) == (snapshot.document, False)


def test_rows_of_the_file_reach_the_table(connection: Connection[TupleRow]) -> None:
    text = "area_code;year;population\n12;2023;489.180\n"
    load_file(connection, OperatorFile("x.csv", b"x", read_rows(text.encode(), "x.csv")), "test")
    (row,) = read_stated(connection)
    assert (row["population"], row["source"], row["is_packaged"]) == (489_180, "x.csv", False)
