"""Counts by any dimension, in any geography, as of any instant: equal to adding up the ledger in Python."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.catalogue import Catalogue
from streams.domain.areas import code_of
from streams.domain.counts import BASES, COUNTERS, ZERO, Amounts, Basis
from streams.domain.errors import ConfigurationError
from streams.domain.geography import OLDEST, Placement, placements
from streams.stores.catalogue import links_of
from streams.stores.counts import DIMENSIONS, TIME_DIMENSIONS, CountsRequest, Dimension, read_counts
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from tests.builders import START, event, judged_by, minutes, position, records, small_catalogue
from tests.fakes import run
from tests.integration.stores.conftest import HISTORY, LATER, PostgresStore
from tests.ledger_contract import LedgerRow, fold

pytestmark = pytest.mark.native

BEFORE, AFTER = date(2023, 12, 31), date(2026, 12, 31)
NOTIFIED, DEATHS = COUNTERS.index("notified"), COUNTERS.index("deaths")
Group = tuple[Any, ...]


def placed(catalogue: Catalogue) -> dict[tuple[str, str], Placement]:
    index = judged_by(catalogue).areas
    return {(p.structure_on, p.area_id): p for p in placements(index, links_of(catalogue))}


PLACES = placed(small_catalogue())


def added_up(rows: list[LedgerRow], request: CountsRequest) -> dict[Group, Amounts]:
    """What the ledger says, without SQL: dimension values -> amounts."""
    structure = OLDEST if request.geography_on < date(2025, 7, 1) else "2025-07-01"
    shows_time = bool(TIME_DIMENSIONS & set(request.by))
    sums: dict[Group, list[int]] = {}
    for known_at, _, _, key, amounts in rows:
        place = PLACES[structure, key.area_id]
        day = None if key.day is None else date.fromisoformat(key.day)
        codes = {
            "province": code_of(place.province_id),
            "district": place.district_id and code_of(place.district_id),
            "commune": place.commune_id and code_of(place.commune_id),
        }
        in_period = (
            (request.first is None or (day is not None and day >= request.first))
            and (request.last is None or (day is not None and day <= request.last))
        ) or (day is None and shows_time)
        if (
            key.basis != request.basis
            or (request.as_of is not None and known_at > request.as_of)
            or bool(key.agent) != ("agent" in request.by)
            or (key.via and "disease" not in request.by and request.disease is None)
            or (request.disease is not None and key.disease != request.disease)
            or (request.province is not None and codes["province"] != request.province)
            or (request.district is not None and codes["district"] != request.district)
            or not in_period
        ):
            continue
        values = {
            **codes,
            "disease": key.disease,
            "agent": key.agent,
            "day": day,
            "week": day and "{}-W{:02d}".format(*day.isocalendar()),
            "month": day and day.isoformat()[:7],
            "year": day and day.year,
        }
        group = tuple(values[dimension] for dimension in request.by)
        sums[group] = [a + b for a, b in zip(sums.get(group, ZERO), amounts, strict=True)]
    return {group: tuple(amounts) for group, amounts in sums.items() if any(amounts)}


def shown(connection: Connection[TupleRow], request: CountsRequest) -> dict[Group, Amounts]:
    rows = read_counts(connection, request)
    groups = {
        tuple(row[dimension] for dimension in request.by): tuple(row[counter] for counter in COUNTERS)
        for row in rows
    }
    assert len(groups) == len(rows), "a group was shown twice"
    return groups


def total(connection: Connection[TupleRow], counter: str = "notified", **asked: Any) -> int:
    request = CountsRequest(**{"by": (), "geography_on": BEFORE, **asked})
    return sum(row[counter] for row in read_counts(connection, request))


PAIRS: list[tuple[Dimension, ...]] = [
    (),
    *((dimension,) for dimension in DIMENSIONS),
    *combinations(DIMENSIONS, 2),
    ("district", "disease", "year"),
]


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("geography_on", [BEFORE, AFTER])
def test_any_grouping_adds_up(told: PostgresStore, basis: Basis, geography_on: date) -> None:
    rows = told.rows()
    seen = 0
    for by in PAIRS:
        request = CountsRequest(by, geography_on, basis)
        expected = added_up(rows, request)
        assert shown(told.connection, request) == expected, by
        seen += len(expected)
    assert seen > len(PAIRS)


@pytest.mark.parametrize("basis", BASES)
def test_as_of_is_what_was_counted_then(told: PostgresStore, basis: Basis) -> None:
    rows = told.rows()
    instants = sorted({row[0] for row in rows})
    assert len(instants) > 8
    for instant in (*instants, instants[0] - timedelta(microseconds=1)):
        request = CountsRequest(("disease", "district", "day"), BEFORE, basis, as_of=instant)
        assert shown(told.connection, request) == added_up(rows, request), instant
    now = CountsRequest(("disease", "district", "day"), BEFORE, basis, as_of=instants[-1])
    assert shown(told.connection, now) == shown(
        told.connection, CountsRequest(("disease", "district", "day"), BEFORE, basis)
    )


def test_as_of_an_instant_is_what_the_tables_said_at_that_instant(store: PostgresStore) -> None:
    ledger = store.open()
    request = CountsRequest(("disease", "commune", "month"), BEFORE)
    seen = {}
    for batch in HISTORY:
        fold(ledger, batch)
        seen[batch[-1].appended_at] = shown(store.connection, request)
    for instant, groups in seen.items():
        as_of = CountsRequest(request.by, BEFORE, as_of=instant)
        assert shown(store.connection, as_of) == groups


@pytest.mark.parametrize(
    "asked",
    [
        {"province": "12"},
        {"province": "12", "district": "109"},
        {"province": "12", "district": "106", "by": ("commune",)},
        {"district": "109", "by": ("disease",), "geography_on": AFTER},
        {"disease": "measles"},
        {"disease": "measles", "by": ("district", "agent")},
        {"first": date(2023, 7, 1)},
        {"last": date(2023, 6, 30), "by": ("disease",)},
        {"first": date(2023, 7, 1), "last": date(2023, 7, 1), "by": ("day", "disease")},
        {"first": date(2023, 1, 1), "last": date(2023, 12, 31), "basis": "death"},
        {"first": date(2023, 1, 1), "last": date(2023, 12, 31), "basis": "death", "by": ("month",)},
        {"first": date(2024, 1, 1), "last": date(2024, 12, 31)},
        {"disease": "rash", "province": "12", "first": date(2023, 6, 1), "as_of": START + minutes(30)},
    ],
)
def test_any_filter_adds_up(told: PostgresStore, asked: dict[str, Any]) -> None:
    request = CountsRequest(**{"by": (), "geography_on": BEFORE, **asked})
    assert shown(told.connection, request) == added_up(told.rows(), request)


@pytest.mark.parametrize("basis", BASES)
def test_totals_are_equal_in_every_geography(told: PostgresStore, basis: Basis) -> None:
    counted = [
        shown(told.connection, CountsRequest(("disease", "province"), on, basis))
        for on in (date(1995, 1, 1), date(2025, 6, 30), date(2025, 7, 1), AFTER)
    ]
    assert counted[0]
    assert all(other == counted[0] for other in counted)


def test_a_case_of_an_old_commune_in_the_new_geography(store: PostgresStore) -> None:
    fold(store.open(), records([event()]))
    (row,) = read_counts(store.connection, CountsRequest(("district", "commune"), AFTER))
    assert (row["district"], row["commune"], row["commune_name"]) == (
        "106",
        "03390",
        "commune 03390@2025-07-01",
    )
    assert row["district_name"] == "surveillance 106@2025-07-01"


def test_a_case_of_a_new_commune_in_the_old_geography(store: PostgresStore) -> None:
    fold(store.open(), records([event(area_code="03390", onset_on="2026-01-05", time=LATER)], at=LATER))
    (row,) = read_counts(store.connection, CountsRequest(("district", "commune"), BEFORE))
    # Two old communes were merged into it: the district is known, the commune is not.
    assert (row["district"], row["district_name"]) == ("106", "district 106@start")
    assert (row["commune"], row["commune_name"]) == (None, None)


def test_a_case_known_by_its_province_only_is_under_no_district(told: PostgresStore) -> None:
    rows = read_counts(told.connection, CountsRequest(("district",), BEFORE))
    assert [row["district"] for row in rows] == ["106", "109", None]
    assert rows[-1]["notified"] == 2


def test_a_case_that_resolved_counts_in_both_diseases_and_once_in_all(told: PostgresStore) -> None:
    rows = {row["disease"]: row for row in read_counts(told.connection, CountsRequest(("disease",), BEFORE))}
    assert [rows[code]["resolved_from_syndrome"] for code in ("rash", "measles")] == [0, 1]
    assert rows["measles"]["notified"] == 2, "its own, and one of the rash's"
    assert total(told.connection, disease="measles") == 2
    assert total(told.connection) == sum(
        row["notified"] - row["resolved_from_syndrome"] for row in rows.values()
    )


def test_a_death_without_a_day_is_shown_as_such(told: PostgresStore) -> None:
    rows = read_counts(told.connection, CountsRequest(("year", "disease"), BEFORE, "death"))
    deaths = {(row["year"], row["disease"]): row["deaths"] for row in rows}
    assert deaths == {(2023, "dengue"): 1, (2026, "dengue"): 1, (None, "measles"): 1, (None, "rash"): 1}
    assert [row["year"] for row in rows] == [2023, 2026, None, None]
    assert {row["notified"] for row in rows} == {0}
    # Died at 03:00 of the next day in Viet Nam.
    (day,) = read_counts(
        told.connection,
        CountsRequest(("day",), BEFORE, "death", first=date(2026, 1, 10), last=date(2026, 1, 10)),
    )[:1]
    assert day["day"] == date(2026, 1, 10)


def test_a_case_positive_for_two_agents_is_in_both_their_rows(store: PostgresStore) -> None:
    fold(store.open(), records([event(lab={"dengue": "positive", "denv1": "positive", "je": "negative"})]))
    rows = read_counts(store.connection, CountsRequest(("agent",), BEFORE))
    assert [(row["agent"], row["positive"]) for row in rows] == [("dengue", 1), ("denv1", 1)]
    assert total(store.connection, "positive") == 1


def test_weeks_are_iso_weeks_and_say_when_they_begin(told: PostgresStore) -> None:
    rows = read_counts(told.connection, CountsRequest(("week",), BEFORE))
    weeks = [(row["week"], row["week_start"]) for row in rows]
    assert weeks[0] == ("2022-W52", date(2022, 12, 26))
    assert ("2026-W02", date(2026, 1, 5)) in weeks
    assert weeks == sorted(weeks)


def test_rows_come_in_the_order_of_the_report(told: PostgresStore) -> None:
    rows = read_counts(told.connection, CountsRequest(("disease", "day"), BEFORE))
    order = [disease.code for disease in small_catalogue().diseases]
    found = [(order.index(row["disease"]), row["day"]) for row in rows]
    assert found == sorted(found)
    assert list(rows[0])[:3] == ["disease", "disease_name", "day"]


def test_counts_that_cancel_out_are_left_out(store: PostgresStore) -> None:
    fold(store.open(), records([event(), event("LC-1", 2, "retracted", START + minutes(1))]))
    for as_of in (None, datetime.now(UTC)):
        assert read_counts(store.connection, CountsRequest(("disease", "day"), BEFORE, as_of=as_of)) == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"disease": "zika"}, "--disease zika: not in the catalogue"),
        ({"province": "99"}, "--province 99: no province had this code on 2023-12-31"),
        ({"province": "106"}, "--province 106: no province"),
        ({"district": "12"}, "--district 12: no district"),
        ({"district": "9"}, "--district 9: no district had this code.*with their zeros"),
    ],
)
def test_a_code_that_means_nothing_is_an_error(
    told: PostgresStore, asked: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_counts(told.connection, CountsRequest((), BEFORE, **asked))  # type: ignore[arg-type]


def test_a_database_without_a_catalogue_says_what_to_do(empty_database_url: str) -> None:
    with connect(empty_database_url) as empty, pytest.raises(ConfigurationError, match="canhdich migrate"):
        read_counts(empty, CountsRequest((), BEFORE))


def test_binh_lu_before_and_after_the_reform(database_url: str) -> None:
    """The real areas: 03412 became 03390, in the surveillance area named after the district Tam Đường."""
    ledger = PostgresLedger(database_url)
    assert run(ledger.replace_positions({0: None}, {0: position()}))
    old = event("LC-1", 1, area_code="03412", onset_on="2023-07-01")
    new = event("LC-2", 2, area_code="03390", onset_on="2026-01-05", time=LATER)
    fold(ledger, records([old, new], at=LATER))
    ledger.close()
    with connect(database_url) as connection:
        found = {
            on: [
                (
                    row["province"],
                    row["district"],
                    row["district_name"],
                    row["commune"],
                    row["year"],
                    row["notified"],
                )
                for row in read_counts(
                    connection, CountsRequest(("province", "district", "commune", "year"), on, province="12")
                )
            ]
            for on in (BEFORE, AFTER)
        }
    assert found[BEFORE] == [
        ("12", "106", "Huyện Tam Đường", "03412", 2023, 1),
        ("12", "106", "Huyện Tam Đường", None, 2026, 1),
    ]
    assert found[AFTER] == [
        ("12", "106", "Khu vực Tam Đường", "03390", 2023, 1),
        ("12", "106", "Khu vực Tam Đường", "03390", 2026, 1),
    ]
