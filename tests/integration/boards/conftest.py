"""The demo's two years of Lai Châu, six autumns of one more disease, and some alerts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from services.demo.generate import demo_events
from services.importing.populations import read_packaged
from services.monitor.looks import quality_figures
from streams.domain.positions import TOPIC
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from streams.stores.populations import load_packaged
from streams.stores.quality import refresh_reporters
from streams.stores.views import EPIDEMIOLOGISTS, WIDER, install_views, set_password
from tests.builders import event, position, spread
from tests.conftest import NativeStack, scratch_database
from tests.fakes import run
from tests.ledger_contract import fold

KNOWN_AT = datetime(2024, 3, 1, tzinfo=UTC)
PARTITIONS = 12
PASSWORD = "boards"  # noqa: S105 - of a login on the tests' own server
SEASONAL = "chikungunya"
"""A disease that the demo has not."""
AUTUMNS = {2018: 3, 2019: 5, 2020: 4, 2021: 9, 2022: 6, 2023: 20}
"""Year -> its cases in one commune on 27 November; one more on each of the four same weekdays that follow."""

_ALERTS = (
    ("dengue", "105@start", "raised", "alert", "2023-07-03", None),
    ("dengue", "105@start", "closed", "outbreak", "2023-08-07", "2023-09-01"),
    ("malaria", "12@start", "acknowledged", "attention", "2023-10-02", None),
    ("hfmd", "03412@start", "verified", "outbreak", "2023-11-06", None),
)


@dataclass(frozen=True)
class Demo:
    """A filled database, and how each login reaches it."""

    url: str

    def login(self, role: str) -> Connection[TupleRow]:
        """A connection as Grafana opens it."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        address = urlunsplit(parts._replace(netloc=f"{role}:{PASSWORD}@{host}"))
        return psycopg.connect(address, autocommit=True)


@pytest.fixture(scope="module")
def demo(native_stack: NativeStack, catalogue_template: str) -> Iterator[Demo]:
    """The database; nothing in it changes."""
    sent = [posted.raw for posted in demo_events()] + _autumns()
    with filled(native_stack, catalogue_template, sent) as database:
        with connect(database.url) as connection:
            _insert_alerts(connection)
            # As the monitor would have judged them then; today these reporters are long gone.
            refresh_reporters(connection, date(2024, 1, 2))
        quality_figures(database.url, TOPIC)()
        yield database


@contextmanager
def filled(stack: NativeStack, template: str, sent: list[bytes]) -> Iterator[Demo]:
    """A database in which some events are counted, and both logins have their password."""
    with scratch_database(stack.server_url, template) as url:
        with connect(url) as connection:
            # A copy of a database has its rows, but not the rights on it.
            install_views(connection)
            load_packaged(connection, *read_packaged(), "tests")
        ledger = PostgresLedger(url)
        new = {partition: position() for partition in range(PARTITIONS)}
        assert run(ledger.replace_positions(dict.fromkeys(new), new))
        assert fold(ledger, spread(sent, PARTITIONS, KNOWN_AT), PARTITIONS).dead == []
        ledger.close()
        with connect(url) as connection:
            for role in (EPIDEMIOLOGISTS, WIDER):
                # Roles are the server's: another process of the tests may give it the same one just now.
                with suppress(psycopg.errors.InternalError_):
                    set_password(connection, role, PASSWORD)
        yield Demo(url)


def _autumns() -> list[bytes]:
    sent = []
    for year, cases in AUTUMNS.items():
        for week in range(5):
            for case in range(cases + week):
                onset = date(year, 11, 27) + timedelta(days=7 * week)
                sent.append(
                    event(
                        f"SEASON-{year}-{week}-{case}",
                        len(sent) + 1,
                        time=datetime(onset.year, onset.month, onset.day, 5, tzinfo=UTC),
                        disease=SEASONAL,
                        onset_on=onset.isoformat(),
                    )
                )
    return sent


def _insert_alerts(connection: Connection[TupleRow]) -> None:
    for disease, area_id, state, level, raised, settled in _ALERTS:
        verdict = {"numbers": {"cases": 7, "mean": 2.5}, "why_vi": "vượt", "why_en": "above"}
        connection.execute(
            "insert into alerts (alert_id, rule_id, disease, area_id, state, level, verdict, is_met, cases, "
            "period_start, period_end, raised_at, waiting_since, changed_at, events, settled_at) values "
            "(gen_random_uuid(), 'tt15_22_1b', %s, %s, %s, %s, %s, true, 7, %s, %s, %s, %s, %s, 1, %s)",
            (disease, area_id, state, level, json.dumps(verdict), *[raised] * 5, settled),
        )
    # People said of the first that it was right.
    connection.execute(
        "insert into alert_events (alert_id, number, at, actor, kind, data) "
        "select al.alert_id, e.number, al.raised_at, e.actor, e.kind, '{}'::jsonb from alerts as al "
        "join (values (1, 'system', 'raised'), (2, 'an', 'verified')) as e (number, actor, kind) "
        "on e.number = 1 or al.state = 'raised'"
    )
