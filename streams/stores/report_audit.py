"""The books of tallies and foci must balance: ledger sum = what is stored = fold of the journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.catalogue import Catalogue
from streams.domain.errors import ConfigurationError
from streams.domain.focus import Focus, focus_of
from streams.domain.reports import NOTHING, FigureAmounts, FigureKey, Report, ReportKind
from streams.domain.tally import Tally, tally_of
from streams.stores.catalogue import read_catalogue
from streams.stores.counts import one_view
from streams.stores.foci import refolded
from streams.stores.report_tables import figures_of, report_from

Sums = dict[FigureKey, FigureAmounts]


@dataclass(frozen=True, slots=True)
class ReportsAudit:
    """Sizes of the tables, and how much of each kind differs from its recomputation.

    `state`: tallies and foci whose stored row is not the fold of their journaled events.
    `ledger`: figures of which the ledger's sum is not what the stored rows contribute.
    """

    events: int
    tallies: int
    foci: int
    parked: int
    state: int
    ledger: int

    @property
    def is_clean(self) -> bool:
        """No drift anywhere."""
        return not (self.state or self.ledger)


def audit_reports(connection: Connection[TupleRow]) -> ReportsAudit:
    """Recompute every tally, focus and figure from the journal, in one consistent view of the tables.

    Args:
        connection: Used for one read-only transaction; the stream goes on meanwhile.
    """
    before, connection.read_only = connection.read_only, True
    try:
        with one_view(connection):
            catalogue = read_catalogue(connection)
            events, parked = read_report_sizes(connection)
            contributed: Sums = {}
            tallies, tally_drift = _compare(connection, "tally", catalogue, contributed)
            foci, focus_drift = _compare(connection, "focus", catalogue, contributed)
            ledger = {
                FigureKey(*row[:6]): FigureAmounts(*row[6:])
                for row in connection.execute(query("audit_figures"))
            }
            differing = sum(
                contributed.get(key, NOTHING) != ledger.get(key, NOTHING)
                for key in contributed.keys() | ledger.keys()
            )
            return ReportsAudit(events, tallies, foci, parked, tally_drift + focus_drift, differing)
    finally:
        connection.read_only = before


def read_report_sizes(connection: Connection[TupleRow]) -> tuple[int, int]:
    """How many events of tallies and foci there are, and how many of them wait for the catalogue."""
    row = connection.execute(query("audit_report_sizes")).fetchone()
    assert row is not None  # noqa: S101 - a select without from
    events, parked = row
    return events, parked


def _compare(
    connection: Connection[TupleRow], kind: ReportKind, catalogue: Catalogue, contributed: Sums
) -> tuple[int, int]:
    """How many reports are stored, and how many the journal makes otherwise; adds up what they contribute."""
    statement = query("audit_tallies") if kind == "tally" else query("audit_foci")
    stored: dict[str, tuple[Report, Tally | Focus]] = {}
    for subject, registers, *row in connection.execute(statement):
        found = Tally._make(row) if kind == "tally" else Focus._make(row)
        stored[subject] = (report_from(registers), found)
        for key, amounts in figures_of(found).items():
            sums = contributed.get(key, NOTHING)
            contributed[key] = FigureAmounts(*(a + b for a, b in zip(sums, amounts, strict=True)))
    folded = _folded(connection, kind, catalogue)
    differing = 0
    for subject in stored.keys() | folded.keys():
        report, row_as_stored = stored.get(subject, (Report(), None))
        expected = folded.get(subject)
        is_same = expected is not None and report.registers == expected.registers
        if not is_same or row_as_stored != _row_of(kind, expected):
            differing += 1
    return len(stored), differing


def _row_of(kind: ReportKind, report: Report | None) -> Tally | Focus | None:
    if report is None:
        return None
    return tally_of(report) if kind == "tally" else focus_of(report)


def _folded(connection: Connection[TupleRow], kind: ReportKind, catalogue: Catalogue) -> Mapping[str, Report]:
    reports: dict[str, Report] = {}
    rows = connection.execute(query("folded_reports"), {"kind": kind, "as_of": None})
    for subject, events in groupby(rows, key=itemgetter(0)):
        report = Report()
        for _, event_id, event_time, data, area_id, _ in events:
            try:
                report.apply(refolded(kind, subject, event_id, event_time, data, area_id, lambda: catalogue))
            except ConfigurationError:
                # Journaled as folded, yet the catalogue does not know its codes: drift of the state.
                continue
        reports[subject] = report
    return reports
