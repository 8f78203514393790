"""Fold tally and focus events: as case events are folded, but judged as what they are.

One handler for both: a report is the last word of its office on one subject (streams/domain/reports.py). The
order of effects, the positions and the dead letters are those of streams/handlers/fold_cases.py.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import orjson

from schemas.events import FOCUS_TYPES, TALLY_TYPES
from streams.domain.calendar import microseconds
from streams.domain.catalogue import Catalogue
from streams.domain.reports import ReportKind, judge_report
from streams.handlers.fold_cases import (
    Announcements,
    Batch,
    DeadLetter,
    Entry,
    FoldCases,
    Ledger,
    Record,
    View,
    decode,
    read_event,
)

TOPICS: Final[Mapping[ReportKind, str]] = {"tally": "tally-events", "focus": "focus-events"}
"""Where the events of each kind come from."""

_TYPES: Final[Mapping[ReportKind, frozenset[str]]] = {"tally": TALLY_TYPES, "focus": FOCUS_TYPES}


def decode_reports(
    kind: ReportKind,
    records: Sequence[Record],
    view: View,
    partition_count: int,
    announced: Mapping[int, int],
) -> Batch:
    """Judge records of a topic of reports in offset order, as `decode` does those of `case-events`."""
    return decode(records, view, partition_count, announced, partial(_judge, kind))


def _judge(
    kind: ReportKind,
    record: Record,
    epoch: int,
    known_at: datetime,
    catalogue: Catalogue,
    partition_count: int,
) -> Entry | DeadLetter:
    event = read_event(record, epoch, known_at, partition_count, _TYPES[kind])
    if isinstance(event, DeadLetter):
        return event
    data_json = orjson.dumps(event.data)
    judged, area_id = judge_report(
        kind, event.subject, event.id, microseconds(event.time), orjson.loads(data_json), catalogue
    )
    return Entry(
        known_at,
        epoch,
        record.partition,
        record.offset,
        catalogue.load_id,
        event,
        data_json,
        area_id,
        judged,
        record.value or b"",
    )


class FoldReports(FoldCases):
    """Handles batches of records of `tally-events` or of `focus-events`, one batch at a time."""

    def __init__(
        self, kind: ReportKind, ledger: Ledger, announcements: Announcements, partition_count: int
    ) -> None:
        super().__init__(ledger, announcements, partition_count)
        self._kind = kind

    def _decode(self, records: Sequence[Record], view: View, announced: Mapping[int, int]) -> Batch:
        return decode_reports(self._kind, records, view, self._partition_count, announced)
