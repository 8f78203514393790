"""The demo's cases, tallies and foci folded straight into a database, without Kafka: each known when it was
recorded."""

import json
from collections.abc import Iterable
from datetime import datetime

from schemas.catalogue import Catalogue
from services.demo.generate import demo_events
from services.demo.reports import demo_reports
from streams.domain.reports import ReportKind
from streams.handlers.fold_cases import Record
from streams.stores.ledger import PostgresLedger
from streams.stores.reports import PostgresReports
from tests import ledger_contract, reports_contract
from tests.builders import position
from tests.fakes import run

_AT_ONCE = 1_000
_KINDS: tuple[ReportKind, ...] = ("tally", "focus")


def fold_demo(database_url: str, catalogue: Catalogue) -> None:
    """Fold the demo into a migrated database with the packaged catalogue and no events; some seconds."""
    ledger = PostgresLedger(database_url)
    assert run(ledger.replace_positions({0: None}, {0: position()}))
    batch = recorded(event.raw for event in demo_events(catalogue=catalogue))
    for start in range(0, len(batch), _AT_ONCE):
        ledger_contract.fold(ledger, batch[start : start + _AT_ONCE])
    ledger.close()
    for kind in _KINDS:
        reports = PostgresReports(database_url, kind)
        assert run(reports.replace_positions({0: None}, {0: position()}))
        events = recorded(report.raw for report in demo_reports() if report.kind == kind)
        reports_contract.fold(reports, kind, events)
        reports.close()


def recorded(values: Iterable[bytes], first_offset: int = 0) -> list[Record]:
    """Records of partition 0 in the order of their events' times, appended when they were recorded."""
    parsed = [(datetime.fromisoformat(json.loads(value)["time"]), value) for value in values]
    parsed.sort(key=lambda one: one[0])
    return [
        Record(0, first_offset + place, at, str(json.loads(value)["subject"]).encode(), value)
        for place, (at, value) in enumerate(parsed)
    ]
