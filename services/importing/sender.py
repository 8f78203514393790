"""Rows of cases to Kafka: what is new is remembered before it is sent, and noted as sent once Kafka has it.

A crash at any point leaves rows that are remembered and not noted as sent; the next import from the same
source sends them again first, with the same id and time, so that the fold counts them once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import orjson

from schemas.events import DOOR_MAX_AHEAD, FOCUS_REPORTED, TALLY_REPORTED, parse_event
from services.importing.codes import CodeFinder
from services.importing.line_list import CaseRow
from services.importing.outcome import Fault, Outcome, RowResult, Skip, What
from services.importing.planning import Known, Plan, Refused, make_plan
from services.importing.vocabulary import CASE_ID, EVENT_ID
from streams.domain.calendar import microseconds
from streams.domain.catalogue import Catalogue
from streams.domain.judging import Parked, area_named, judge, kind_of
from streams.domain.reports import ReportKind, judge_report
from streams.stores.imports import ImportRow

CASE_EVENTS = "case-events"
REPORT_KINDS: Mapping[str, ReportKind] = {TALLY_REPORTED: "tally", FOCUS_REPORTED: "focus"}
"""The kind of report of an event's type; none for a case's."""
CHUNK = 5_000
"""Rows that are compared, remembered and sent together."""

# A case whose rows in this file are not those of the last one.
_DIVERGED = -1
# Every further row of a case waits for the one before; so many are one code copied down a column.
_MOST_ROWS_OF_A_CASE = 200


class RowStore(Protocol):
    """What one source has sent. Every method raises DependencyDown when the database does not answer."""

    def known(self, subjects: Iterable[str]) -> dict[str, ImportRow]:
        """The last row of each of these cases."""

    def unsent(self) -> list[ImportRow]:
        """Rows whose event may not have reached Kafka."""

    def save(self, rows: Sequence[ImportRow]) -> None:
        """Store rows of different cases, those with an event as not sent yet."""

    def mark_sent(self, rows: Sequence[ImportRow]) -> None:
        """Note that Kafka has their events."""


class Identities(Protocol):
    """The identities that the fold has claimed."""

    def hashes(self, identities: Sequence[tuple[str, UUID]]) -> dict[tuple[str, UUID], bytes]:
        """Content hash of each known one among these."""


class Sender(Protocol):
    """Kafka."""

    def deliver(self, records: Sequence[tuple[bytes, bytes]], topic: str | None = None) -> None:
        """Send (key, value) records to a topic, by default the one that this sender is for.

        Returns when Kafka has all of them; DependencyDown else.
        """


def is_parked(event: bytes, catalogue: Catalogue) -> bool:
    """Whether the catalogue in force lacks the disease or the area that an event (canonical JSON) names."""
    document = orjson.loads(event)
    identity = (
        document["subject"],
        UUID(document["id"]),
        microseconds(datetime.fromisoformat(document["time"])),
    )
    report = REPORT_KINDS.get(document["type"])
    if report is not None:
        judged: object = judge_report(report, *identity, document["data"], catalogue)[0]
    else:
        judged = judge(kind_of(document["type"]), *identity, document["data"], catalogue)[0]
    return isinstance(judged, Parked)


class CaseImport:
    """One import of the rows of one source."""

    def __init__(
        self,
        *,
        source: str,
        store: RowStore,
        identities: Identities,
        sender: Sender,
        codes: CodeFinder,
        catalogue: Catalogue,
        now: datetime,
        outcome: Outcome,
    ) -> None:
        self._source = source
        self._store = store
        self._identities = identities
        self._sender = sender
        self._codes = codes
        self._catalogue = catalogue
        self._now = now
        self._outcome = outcome
        # Rows with the same given time so far: each is a microsecond later than the one before.
        self._at_time: dict[datetime, int] = {}
        # How many rows of a case were so far those of the last file, one for one.
        self._matched: dict[str, int] = {}
        # Cases of which the last file had more rows than this one so far, with the last row of this one.
        self._unfinished: dict[str, tuple[CaseRow, datetime]] = {}

    def send_unsent(self) -> None:
        """Send what an earlier import remembered and did not note as sent."""
        unsent = self._store.unsent()
        if unsent:
            self._deliver(unsent)
            self._outcome.resent += len(unsent)

    def take(self, rows: Sequence[CaseRow]) -> None:
        """Compare, remember and send some rows, in the order of the file.

        Raises:
            DependencyDown: rows that are remembered and not acknowledged will be sent by the next import.
        """
        self._outcome.rows += len(rows)
        self._take([(row, self._time_of(row)) for row in rows], is_end=False)

    def finish(self) -> None:
        """The file has ended: where it has fewer rows of a case than the last one, its last row holds."""
        rest = list(self._unfinished.values())
        self._unfinished.clear()
        for first in range(0, len(rest), CHUNK):
            self._take(rest[first : first + CHUNK], is_end=True)

    def _take(self, rows: list[tuple[CaseRow, datetime]], *, is_end: bool) -> None:
        cases = {
            subject: _known_from(row)
            for subject, row in self._store.known({row.case_id for row, _ in rows}).items()
        }
        taken = self._taken_ids(rows)
        waiting = rows
        while waiting:
            # One event per case and wave: a remembered row is replaced only after Kafka has its event.
            wave: dict[str, ImportRow] = {}
            later: list[tuple[CaseRow, datetime]] = []
            held: set[str] = set()
            for row, at in waiting:
                if row.case_id in held:
                    later.append((row, at))
                    continue
                known = cases.get(row.case_id)
                plan = self._plan(row, at, known, taken, is_end=is_end)
                if plan is None:
                    continue
                cases[row.case_id] = plan.known
                wave[row.case_id] = _to_store(row.case_id, plan)
                held.add(row.case_id)
            if wave:
                self._store.save(list(wave.values()))
                self._deliver([row for row in wave.values() if row.event is not None])
            waiting = later

    def _plan(
        self,
        row: CaseRow,
        at: datetime,
        known: Known | None,
        taken: Mapping[tuple[str, UUID], bytes],
        *,
        is_end: bool,
    ) -> Plan | None:
        """Count a row, and say what is to be remembered or sent of it; None where nothing is."""
        matched = self._matched.get(row.case_id, 0)
        if not is_end and known and self._repeats(row, at, known, matched):
            self._unchanged(row)
            return None
        if known and _is_older(row, known):
            self._outcome.skipped.append(Skip(row.number, 1, "older"))
            self._unchanged(row)
            return None
        given = dict(known.given) if known else {}
        # Of the last file's rows those that came again; after that, this file's own.
        rows = (known.rows if known else ())[: None if matched == _DIVERGED else matched]
        try:
            if self._was_said_with_its_id(row, given):
                self._unchanged(row)
                return None
            _check_number(rows)
            plan = make_plan(
                row,
                known,
                at=at,
                source=self._source,
                codes=self._codes,
                now=self._now,
                rows=rows if is_end else (*rows, row.digest),
                given=given,
            )
            self._check_id(row, plan, taken)
        except Refused as refused:
            self._outcome.unchanged -= is_end
            self._outcome.results.pop(row.number, None)
            self._outcome.reject(row.number, refused.faults)
            return None
        self._matched[row.case_id] = _DIVERGED
        self._unfinished.pop(row.case_id, None)
        self._outcome.repaired.extend(plan.repairs)
        self._count(row, plan, is_end=is_end)
        return plan

    def _unchanged(self, row: CaseRow) -> None:
        self._outcome.unchanged += 1
        self._outcome.results[row.number] = RowResult(row.number, "unchanged", row.case_id)

    def _count(self, row: CaseRow, plan: Plan, *, is_end: bool) -> None:
        outcome = self._outcome
        what: What = "unchanged"
        if plan.event is not None:
            what = "created" if plan.is_first else "updated"
            outcome.created += plan.is_first
            outcome.updated += not plan.is_first
            time = microseconds(plan.known.event_time)
            outcome.parked += isinstance(area_named(time, plan.data, self._catalogue), Parked)
        else:
            outcome.unchanged += 1
        # A row that ends its case's rows early was counted when it came.
        outcome.unchanged -= is_end
        outcome.results[row.number] = RowResult(row.number, what, row.case_id, plan.changed)

    def _repeats(self, row: CaseRow, at: datetime, known: Known, matched: int) -> bool:
        """Whether the case's rows in this file were, up to this one, those of the last file."""
        if matched == _DIVERGED or matched >= len(known.rows) or known.rows[matched] != row.digest:
            return False
        self._matched[row.case_id] = matched + 1
        # A row with an id or a time of its own is a fact of then, which the rows after it do not take back.
        if matched + 1 < len(known.rows) and row.event_id is None and row.event_time is None:
            self._unfinished[row.case_id] = (row, at)
        else:
            self._unfinished.pop(row.case_id, None)
        return True

    def _was_said_with_its_id(self, row: CaseRow, given: dict[str, str]) -> bool:
        """Whether the row's event id stood beside the same content before; notes it if it never did.

        Raises:
            Refused: it stood beside other content.
        """
        if row.event_id is None:
            return False
        said = given.setdefault(str(row.event_id), "")
        if said and said != row.content_digest:
            raise Refused(_ID_TAKEN)
        given[str(row.event_id)] = row.content_digest
        return bool(said)

    def _check_id(self, row: CaseRow, plan: Plan, taken: Mapping[tuple[str, UUID], bytes]) -> None:
        """Refuse an event id that the fold knows with other content (from another source, say)."""
        standing = taken.get((row.case_id, row.event_id)) if row.event_id and plan.event else None
        if standing is not None and plan.event is not None:
            event = parse_event(plan.event, now=self._now, max_ahead=DOOR_MAX_AHEAD)
            if event.content_hash != standing:
                raise Refused(_ID_TAKEN)

    def _taken_ids(self, rows: Sequence[tuple[CaseRow, datetime]]) -> dict[tuple[str, UUID], bytes]:
        given = [(row.case_id, row.event_id) for row, _ in rows if row.event_id is not None]
        return self._identities.hashes(given) if given else {}

    def _time_of(self, row: CaseRow) -> datetime:
        if row.event_time is None:
            return self._now + timedelta(microseconds=row.number)
        earlier = self._at_time.get(row.event_time, 0)
        self._at_time[row.event_time] = earlier + 1
        return row.event_time + timedelta(microseconds=earlier)

    def _deliver(self, rows: Sequence[ImportRow]) -> None:
        if rows:
            self._sender.deliver([(row.subject.encode(), row.event) for row in rows if row.event is not None])
            self._store.mark_sent(rows)


def _is_older(row: CaseRow, known: Known) -> bool:
    """Whether a row that is its case's state was overtaken by one that was imported before."""
    return (
        row.is_state
        and row.event_time is not None
        and known.given_time is not None
        and row.event_time < known.given_time
    )


def _check_number(rows: Sequence[str]) -> None:
    if len(rows) >= _MOST_ROWS_OF_A_CASE:
        raise Refused(_TOO_MANY_ROWS)


def _to_store(subject: str, plan: Plan) -> ImportRow:
    known = plan.known
    content: dict[str, Any] = {"fields": known.fields, "rows": known.rows}
    if known.given:
        content["given"] = known.given
    if known.given_time is not None:
        content["given_time"] = known.given_time
    return ImportRow(subject, content, known.event_id, known.event_time, plan.event)


def _known_from(row: ImportRow) -> Known:
    content = row.content
    given_time = content.get("given_time")
    return Known(
        content["fields"],
        row.event_id,
        row.event_time,
        None if given_time is None else datetime.fromisoformat(given_time),
        tuple(content["rows"]),
        content.get("given", {}),
    )


_TOO_MANY_ROWS = Fault(
    CASE_ID,
    f"Mã ca bệnh này đã có {_MOST_ROWS_OF_A_CASE} dòng khác nhau trong tệp. Kiểm tra xem có phải một mã bị "
    "sao chép cho nhiều ca không; mỗi ca phải có mã riêng.",
    f"{_MOST_ROWS_OF_A_CASE} different rows of this file have this case_id already. Check whether one code "
    "was copied to many cases; each needs its own.",
)
_ID_TAKEN = Fault(
    EVENT_ID,
    "Mã bản ghi này đã dùng cho một nội dung khác. Để trống ô này (hệ thống tự đặt mã) hoặc ghi mã mới.",
    "This event id was used for other content. Leave the cell empty (an id is made) or give a new id.",
)
