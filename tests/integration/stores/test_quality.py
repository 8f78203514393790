"""The boards' figures of quality are those of the commands, and stay so with every event."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from streams.domain.calendar import week_of
from streams.domain.delay import Deadline
from streams.domain.positions import TOPIC
from streams.handlers.fold_cases import Record
from streams.stores.completeness import read_completeness
from streams.stores.delay import read_delays
from streams.stores.health import StreamHealth
from streams.stores.quality import refresh_reporters, refresh_weeks, save_look
from streams.stores.scope import Scope
from streams.stores.silence import read_silence
from tests.builders import event
from tests.integration.stores.conftest import PostgresStore
from tests.ledger_contract import fold

pytestmark = pytest.mark.native

BEFORE = date(2023, 12, 31)
TODAY = date(2023, 9, 6)
MONDAY = date(2023, 1, 2)
DEADLINES = {"dengue": [Deadline(None, None, "24h")], "measles": [Deadline(None, None, "weekly")]}
SEVERE = {"dengue"}


def some_events(rng: random.Random, first: int, n: int) -> list[Record]:
    """Reports, corrections that move cases between weeks and areas, and retractions."""
    records = []
    for number in range(first, first + n):
        subject = f"LC-{rng.randrange(60)}"
        kind = rng.choice(["reported", "reported", "updated", "updated", "retracted"])
        day = MONDAY + timedelta(days=rng.randrange(200))
        known = datetime(day.year, day.month, day.day, rng.randrange(24), tzinfo=UTC)
        data: dict[str, Any] = {}
        if kind == "reported":
            data = {"disease": rng.choice(["dengue", "measles"]), "onset_on": None}
        if kind != "retracted":
            data |= rng.choice(
                [
                    {"reported_on": day.isoformat()},
                    {"onset_on": (day - timedelta(days=rng.randrange(40))).isoformat()},
                    {"area_code": rng.choice(["03412", "03549", "106", "12"])},
                    {"diagnosed_at": (day - timedelta(days=rng.randrange(3))).isoformat()},
                    {"sex": "male", "occupation": "farmer", "vaccination": "unknown"},
                    {"age_years": rng.choice([0.5, 4, 30, 80])},
                    {"severity": "severe", "lab": {"dengue": rng.choice(["positive", "not_tested"])}},
                ]
            )
        value = event(subject, number, kind, known, **data)
        at = datetime(2023, 9, 1, tzinfo=UTC) + timedelta(minutes=number)
        records.append(Record(0, number - 1, at, subject.encode(), value))
    return records


def stored(store: PostgresStore) -> tuple[list[Any], list[Any], list[Any]]:
    return (
        store.connection.execute("select * from quality_weeks order by 1, 2, 3").fetchall(),
        store.connection.execute("select * from form_weeks order by 1, 2, 3").fetchall(),
        store.connection.execute("select * from age_sex_weeks order by 1, 2, 3, 4, 5").fetchall(),
    )


def refresh(store: PostgresStore) -> int:
    return refresh_weeks(store.connection, TOPIC, DEADLINES, SEVERE)


def as_if_new(store: PostgresStore) -> tuple[list[Any], list[Any], list[Any]]:
    """What is stored when everything is computed from nothing."""
    store.connection.execute("truncate quality_weeks, form_weeks, age_sex_weeks, quality_positions")
    refresh(store)
    return stored(store)


def test_what_events_change_is_computed_anew_and_nothing_is_forgotten(store: PostgresStore) -> None:
    rng = random.Random(20231122)
    ledger = store.open()
    first = 1
    for _ in range(12):
        fold(ledger, some_events(rng, first, 25))
        first += 25
        assert refresh(store)
        kept = stored(store)
        assert kept[0]
        assert kept == as_if_new(store)
    assert refresh(store) == 0


def test_the_figures_are_those_of_the_commands(store: PostgresStore) -> None:
    fold(store.open(), some_events(random.Random(7), 1, 200))
    refresh(store)

    found = {
        (week, disease): figures
        for week, disease, *figures in store.connection.execute(
            "select week_start, disease, sum(cases)::int, sum(on_time)::int, sum(on_time_by_day)::int, "
            "sum(late)::int, sum(no_diagnosis)::int, sum(delay_unknown)::int, sum(complete_forms)::int "
            "from quality_weeks group by 1, 2"
        )
    }
    scope = Scope(BEFORE)
    delays = read_delays(store.connection, scope, ["week", "disease"], "report", DEADLINES, TODAY)
    forms = read_completeness(store.connection, scope, ["week", "disease"], "report", SEVERE)
    assert len(found) == len(delays) == len(forms) > 20
    for delay, form in zip(delays, forms, strict=True):
        law = delay["deadline"]
        spread = delay["onset_to_report"]
        assert found[delay["week_start"], delay["disease"]] == [
            delay["cases"],
            law["on_time"],
            law["by_day"],
            law["late"],
            law["no_diagnosis"],
            delay["cases"] - (0 if spread is None else spread["n"]),
            form["complete"],
        ]
    asked = dict(
        store.connection.execute(
            "select field, array[sum(asked), sum(filled)]::int[] from form_weeks group by field"
        ).fetchall()
    )
    (everything,) = read_completeness(store.connection, scope, [], "report", SEVERE)
    assert asked == {
        name: [field["asked"], field["filled"]]
        for name, field in everything["fields"].items()
        if field["asked"]
    }


def test_ages_and_sexes_are_those_of_the_cases(store: PostgresStore) -> None:
    fold(store.open(), some_events(random.Random(7), 1, 200))
    refresh(store)
    wanted: Counter[tuple[date, str, str, str]] = Counter()
    for disease, day, registers in store.connection.execute(
        "select counted_disease, counted_report_day, registers from cases where counted_disease is not null"
    ):
        age, sex = (registers.get(name, [None, None])[1] for name in ("age_years", "sex"))
        band = {None: "age_unknown", 0.5: "age_0", 4: "age_1_4", 30: "age_25_44", 80: "age_65_up"}[age]
        wanted[day - timedelta(days=day.weekday()), disease, band, sex or "unknown"] += 1
    assert len({key[2] for key in wanted}) == 5
    assert {key[3] for key in wanted} == {"male", "unknown"}
    found = store.connection.execute(
        "select week_start, disease, age_band, sex, sum(cases)::int from age_sex_weeks group by 1, 2, 3, 4"
    )
    assert {tuple(row[:4]): row[4] for row in found} == wanted
    # Week, disease and district by week, disease and district they add up to the cases.
    assert (
        store.connection.execute(
            "select week_start, disease, district_id, sum(cases)::int from age_sex_weeks group by 1, 2, 3 "
            "except select week_start, disease, district_id, cases from quality_weeks"
        ).fetchall()
        == []
    )


def test_another_catalogue_means_everything_anew(store: PostgresStore) -> None:
    fold(store.open(), some_events(random.Random(7), 1, 40))
    weeks = refresh(store)
    store.connection.execute(
        "insert into catalogue_loads (load_id, version, known_at, loaded_by, content, announced_at) "
        "select load_id + 1, 'other', known_at, 'test', content, now() from catalogue_loads "
        "order by load_id desc limit 1"
    )

    assert refresh(store) == weeks > 5


def test_reporters_are_judged_as_the_command_judges_them(store: PostgresStore) -> None:
    records = []
    for week in range(30):
        for facility, weeks in (("A", 30), ("B", 22)):
            if week < weeks:
                day = MONDAY + timedelta(weeks=week, days=2)
                at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
                value = event(
                    f"LC-{facility}-{week}",
                    len(records) + 1,
                    time=at,
                    onset_on=None,
                    reporting_facility=facility,
                )
                subject = f"LC-{facility}-{week}".encode()
                records.append(Record(0, len(records), at, subject, value))
    fold(store.open(), records)
    on = MONDAY + timedelta(weeks=30, days=3)

    assert refresh_reporters(store.connection, on) == 105
    assert refresh_reporters(store.connection, on + timedelta(days=1)) == 1
    assert refresh_reporters(store.connection, on + timedelta(days=7)) == 2

    judged = store.connection.execute(
        "select reporter, state, silent_weeks, district_id from reporter_weeks where judged_on = %s "
        "order by reporter",
        (MONDAY + timedelta(weeks=30),),
    ).fetchall()
    commanded = sorted(
        (row["reporter"], row["state"], row["silent_weeks"])
        for row in read_silence(store.connection, Scope(BEFORE), on)
    )
    assert [row[:3] for row in judged] == commanded == [("A", "reporting", 0), ("B", "silent", 8)]
    assert {row[3] for row in judged} == {"106@start"}


HEALTH = StreamHealth(2.5, 10, 1, 3, 4, 60.0, None, 0, {"daily": 2, "state": 1})


def test_a_look_is_kept_by_the_minute_with_its_longest_lag(store: PostgresStore) -> None:
    with store.connection.transaction():
        store.connection.execute(
            "insert into stream_looks values (now() - interval '31 days', 0, 0, 0, 0, 0, 0, 0)"
        )
        for lag in (5, 900, 7):
            save_look(store.connection, HEALTH, lag)
    looks = "select lag_records, newest_age_seconds, dead_open, parked, findings from stream_looks"
    assert store.connection.execute(looks).fetchall() == [(900, 2.5, 3, 4, 3)]
    store.connection.execute("truncate stream_looks")
    with store.connection.transaction():
        save_look(store.connection, HEALTH, None)
        save_look(store.connection, HEALTH, 7)
    assert store.connection.execute(looks).fetchall() == [(None, 2.5, 3, 4, 3)]


def test_weeks_begin_on_monday(store: PostgresStore) -> None:
    fold(store.open(), some_events(random.Random(3), 1, 60))
    refresh(store)
    for (week,) in store.connection.execute("select distinct week_start from quality_weeks"):
        assert week_of(week).first == week
