"""A small province to look at: five earlier years, the demo's year as it was posted, alerts and answers.

Every event is known when it was posted, so delays, nowcasts, silence and dead letters are what the system
makes of them. Only what an idle machine cannot have is set by hand: the ages of the newest event and of the
last audit, and thirty days of the monitor's looks.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.catalogue import load_catalogue
from services.demo.generate import demo_events
from services.importing.populations import read_packaged
from services.monitor.looks import quality_figures
from streams.domain.alerts import Life
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.positions import TOPIC
from streams.handlers.fold_cases import Record
from streams.handlers.watch_counts import WatchCounts
from streams.stores.alerts import PostgresAlerts
from streams.stores.boards import refresh_nowcasts
from streams.stores.catalogue import load
from streams.stores.database import connect, migrate
from streams.stores.deliveries import plan_deliveries
from streams.stores.detector_series import detector_sweep
from streams.stores.ledger import PostgresLedger
from streams.stores.populations import load_packaged
from streams.stores.quality import refresh_reporters
from streams.stores.rule_judge import rules_judge
from streams.stores.rules import load_packaged_rules
from tests.builders import position
from tests.fakes import run
from tests.ledger_contract import fold

FIRST, LAST = date(2022, 10, 24), date(2023, 6, 25)
"""What the pictures show: whole ISO weeks."""
_EARLIER_YEARS: Final = 5


def _events(rng: random.Random) -> Iterator[tuple[datetime, bytes]]:
    """(When it was posted, the event); some of the earlier years' cases are left out: years differ."""
    this_time = [event.raw for event in demo_events()]
    for years in range(_EARLIER_YEARS, 0, -1):
        back = timedelta(days=364 * years)
        kept = {"": rng.uniform(0.5, 1.0)}
        for raw in (event.raw for event in demo_events(seed=years)):
            subject = json.loads(raw)["subject"]
            if kept.setdefault(subject, rng.random()) < kept[""]:
                event = _moved(json.loads(raw), back) | {"subject": f"Y{years}-{subject}"}
                at = _posted(event)
                # The demo has two years: of the earlier ones the first is taken.
                if at < datetime(2022 - years + 1, 1, 1, tzinfo=UTC):
                    yield at, json.dumps(event).encode()
    for raw in this_time:
        at = _posted(json.loads(raw))
        if at.astimezone(LOCAL_ZONE).date() <= LAST:
            yield at, raw
            if rng.random() < 0.004:
                wrong = json.loads(raw)
                if rng.random() < 0.5:
                    wrong["data"]["nationality"] = "x"
                else:
                    wrong["data"]["hamlet"] = "other"
                yield at, json.dumps(wrong).encode()


def _moved(event: dict[str, Any], back: timedelta) -> dict[str, Any]:
    """An event with all of its days so much earlier."""

    def earlier(text: str) -> str:
        return str(date.fromisoformat(text[:10]) - back) + text[10:]

    data = {
        name: earlier(value) if name.endswith(("_on", "_at")) and value else value
        for name, value in event["data"].items()
    }
    return event | {"time": earlier(event["time"]), "data": data}


def _posted(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"]).astimezone(UTC) + timedelta(seconds=5)


def fill(database_url: str) -> None:
    """Fill an empty database; some minutes.

    Args:
        database_url: Of an owner.
    """
    rng = random.Random(12)
    migrate(database_url)
    catalogue = load_catalogue()
    with connect(database_url) as connection:
        load(connection, catalogue, "pictures")
        load_packaged_rules(connection, catalogue, "pictures")
        load_packaged(connection, *read_packaged(), "pictures")
        _live(database_url, connection, rng)
        end = datetime(LAST.year, LAST.month, LAST.day, 23, tzinfo=LOCAL_ZONE)
        refresh_reporters(connection, LAST + timedelta(days=1))
        refresh_nowcasts(connection, end + timedelta(days=1))
        quality_figures(database_url, TOPIC)()
        _set_by_hand(connection, rng)


def _live(database_url: str, connection: Connection[TupleRow], rng: random.Random) -> None:
    """Day by day: fold what was posted, judge what changed, answer the alerts of some days before."""
    days: dict[date, list[Record]] = defaultdict(list)
    for offset, (at, raw) in enumerate(sorted(_events(rng), key=lambda pair: pair[0])):
        key = str(json.loads(raw)["subject"]).encode()
        day = at.astimezone(LOCAL_ZONE).date()
        # Before the pictures begin nobody judges: a month at once.
        days[day if day >= FIRST else day.replace(day=1)].append(Record(0, offset, at, key, raw))
    ledger = PostgresLedger(database_url)
    run(ledger.replace_positions({0: None}, {0: position()}))
    now = [datetime.now(UTC)]
    with ExitStack() as stack:
        stack.callback(ledger.close)
        alerts = PostgresAlerts(database_url, Life(), plan_deliveries)
        stack.callback(alerts.close)
        judge = stack.enter_context(rules_judge(database_url))
        detectors = stack.enter_context(detector_sweep(database_url))
        watch = WatchCounts(judge, alerts, lambda changes: None, lambda: now[0], detectors)
        for day in sorted(days):
            now[0] = days[day][-1].appended_at + timedelta(minutes=1)
            done = fold(ledger, days[day])
            if day < FIRST:
                continue
            watch.handle([(touched.disease, touched.area_id) for touched in done.touched])
            if day.weekday() == 0:
                watch.look_at_the_clock()
            _answer(alerts, connection, now[0], rng)


def _answer(
    alerts: PostgresAlerts, connection: Connection[TupleRow], now: datetime, rng: random.Random
) -> None:
    """What people say of alerts a day later: mostly that they were right."""
    waiting = connection.execute(
        "select alert_id from alerts where state = 'raised' and raised_at < %s order by raised_at",
        (now - timedelta(hours=20),),
    ).fetchall()
    for (alert_id,) in waiting:
        if LAST - now.date() < timedelta(days=10) and rng.random() < 0.5:
            continue
        alerts.act(alert_id, "acknowledge", "an", now)
        said = rng.random()
        if said < 0.55:
            alerts.act(alert_id, "verify", "an", now + timedelta(hours=1), "đã xác minh")
        elif said < 0.85:
            alerts.act(alert_id, "dismiss", "an", now + timedelta(hours=1), "báo nhầm")
        if said < 0.5:
            alerts.act(alert_id, "close", "an", now + timedelta(hours=2), "đã xử lý")


def _set_by_hand(connection: Connection[TupleRow], rng: random.Random) -> None:
    end = datetime(LAST.year, LAST.month, LAST.day, 23, 59, tzinfo=LOCAL_ZONE)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into stream_looks values (%s, %s, %s, 0, 0, 0, 0, 60) on conflict do nothing",
            [
                (
                    end - timedelta(minutes=10 * number),
                    max(0, int(rng.gauss(20, 30))) if number % 997 else 4200,
                    abs(rng.gauss(150, 80)),
                )
                for number in range(6 * 24 * 30)
            ],
        )
        cursor.execute("insert into stream_looks values (now(), 12, 40, 0, 0, 0, 0, 31)")
        cursor.execute("delete from audit_rounds")
        cursor.execute(
            "insert into audit_rounds (ended_at, seconds, waiting_events) "
            "values (now() - interval '31 seconds', 1, 0)"
        )
        cursor.execute("update stream_offsets set last_known_at = now() - interval '40 seconds'")
        # All but the newest dead letters were repaired.
        cursor.execute(
            "update dead_letters set retried_at = known_at + interval '3 days' where dead_letter_id not in "
            "(select dl.dead_letter_id from dead_letters as dl order by dl.known_at desc limit 4)"
        )
