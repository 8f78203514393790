"""Fold case events: decode and judge, commit in one transaction, then announce what moved.

The order of effects is the point: nothing is announced before the commit, nothing is acknowledged (by the
agent) before it is announced, and a redelivered record is announced again but folded once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import Protocol
from uuid import UUID

import orjson

from schemas.events import CASE_TYPES, STREAM_MAX_AHEAD, Event, InvalidEvent, parse_event, redact, redact_key
from schemas.topics.partitioner import partition_for
from streams.domain.calendar import microseconds
from streams.domain.case import CaseEvent
from streams.domain.catalogue import Catalogue
from streams.domain.errors import OutOfStep, RefusedData, ViewMoved
from streams.domain.judging import Parked, judge, kind_of
from streams.domain.positions import Position, Touched
from streams.domain.reports import ReportEvent


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record as it came. `appended_at` is the broker's LogAppendTime."""

    partition: int
    offset: int
    appended_at: datetime
    key: bytes | None
    value: bytes | None

    @property
    def hash(self) -> bytes:
        """Tells this record from any other that could stand at its offset (16 bytes)."""
        digest = blake2b(digest_size=16)
        for part in (self.key or b"", str(microseconds(self.appended_at)).encode(), self.value or b""):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.digest()


@dataclass(frozen=True, slots=True)
class View:
    """What a batch is judged with; the commit refuses it when either part has moved meanwhile."""

    catalogue: Catalogue
    positions: Mapping[int, Position]


# Not frozen: that would take twice as long to make, and every event makes one.
@dataclass(slots=True)
class Entry:
    """One valid event on its way into the journal."""

    known_at: datetime
    epoch: int
    partition: int
    offset: int
    load_id: int
    event: Event
    data_json: bytes
    area_id: str | None
    judged: CaseEvent | ReportEvent | Parked
    raw: bytes


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot be used, redacted, with every reason. `standing` is the version that stands."""

    epoch: int
    partition: int
    offset: int
    known_at: datetime
    error: str
    problems: tuple[Mapping[str, str], ...]
    key: bytes | None
    value: bytes
    standing: bytes | None = None
    subject: str | None = None
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Records judged: for the journal, for the dead letters, and where that leaves each partition."""

    entries: Sequence[Entry]
    dead: Sequence[DeadLetter]
    positions: Mapping[int, Position]


@dataclass(frozen=True, slots=True)
class Committed:
    """What is to be announced; and for whoever measures, how many events are new in the journal.

    `parked` of the `journaled` ones wait for the catalogue.
    """

    touched: frozenset[Touched]
    dead: Sequence[DeadLetter]
    journaled: int = field(default=0, compare=False)
    parked: int = field(default=0, compare=False)


JudgeRecord = Callable[[Record, int, datetime, Catalogue, int], Entry | DeadLetter]
"""(record, epoch, known_at, catalogue, the topic's partitions) -> for the journal or the dead letters."""


class Ledger(Protocol):
    """Where events become counts. Every method raises DependencyDown when the database does not answer."""

    async def view(self, partitions: Iterable[int]) -> View:
        """The catalogue in force and the position of each partition."""

    async def commit(self, view: View, batch: Batch) -> Committed:
        """Journal, fold and count a batch in one transaction.

        Raises:
            ViewMoved: the catalogue or a position is not what the batch was judged with.
            RefusedData: the database refuses a value.
        """

    async def replayed(self, ranges: Mapping[int, tuple[int, int]]) -> Committed:
        """What was announced for offsets [first, last] per partition of the present epoch."""


class Announcements(Protocol):
    """The topics that others read. Returns only after the broker has acknowledged; DependencyDown else."""

    async def bury(self, dead: Sequence[DeadLetter]) -> None:
        """Publish dead letters."""

    async def publish(self, touched: Iterable[Touched]) -> None:
        """Publish which counts moved."""


def decode(
    records: Sequence[Record],
    view: View,
    partition_count: int,
    announced: Mapping[int, int],
    judge_record: JudgeRecord | None = None,
) -> Batch:
    """Judge records in offset order. Never raises for a record's content: it sorts.

    Args:
        records: Records from their partition's next offset on, in offset order per partition.
        view: Catalogue and positions.
        partition_count: Partitions of the topic, to check where a key belongs.
        announced: Per partition the offset before which everything is announced.
        judge_record: Judges one record of the topic; None: as one of `case-events`.

    Raises:
        OutOfStep: a record is missing before one of these.
    """
    judge_one = judge_record or _judge
    entries: list[Entry] = []
    dead: list[DeadLetter] = []
    latest = {partition: position.last_known_at for partition, position in view.positions.items()}
    due = {partition: position.next_offset for partition, position in view.positions.items()}
    last: dict[int, Record] = {}
    for record in records:
        if record.offset != due[record.partition]:
            raise OutOfStep(
                f"partition {record.partition}: offset {record.offset} came, {due[record.partition]} was due"
            )
        due[record.partition] = record.offset + 1
        known_at = max(record.appended_at, latest[record.partition])
        latest[record.partition] = known_at
        last[record.partition] = record
        judged = judge_one(
            record, view.positions[record.partition].epoch, known_at, view.catalogue, partition_count
        )
        if isinstance(judged, Entry):
            entries.append(judged)
        else:
            dead.append(judged)
    positions = {
        partition: replace(
            view.positions[partition],
            next_offset=record.offset + 1,
            announced_offset=announced[partition],
            last_known_at=latest[partition],
            last_hash=record.hash,
        )
        for partition, record in last.items()
    }
    return Batch(entries, dead, positions)


def read_event(
    record: Record, epoch: int, known_at: datetime, partition_count: int, types: frozenset[str]
) -> Event | DeadLetter:
    """The valid event of a record that stands where it belongs, else its dead letter.

    Args:
        record: As it came.
        epoch: Of its partition.
        known_at: What counts as now, so that a replay judges the same.
        partition_count: Partitions of the topic.
        types: The event types that belong in the topic.
    """
    try:
        event = parse_event(record.value or b"", now=known_at, max_ahead=STREAM_MAX_AHEAD, types=types)
    except InvalidEvent as invalid:
        problems = tuple(
            {"field": p.field, "code": p.code, "message_vi": p.message_vi, "message_en": p.message_en}
            for p in invalid.problems
        )
        return _dead_letter(record, epoch, known_at, "invalid_event", problems)
    misplaced = _misplaced(record, event.subject, partition_count)
    if misplaced is not None:
        return _dead_letter(record, epoch, known_at, "misplaced_record", (misplaced,))
    return event


def _judge(
    record: Record, epoch: int, known_at: datetime, catalogue: Catalogue, partition_count: int
) -> Entry | DeadLetter:
    event = read_event(record, epoch, known_at, partition_count, CASE_TYPES)
    if isinstance(event, DeadLetter):
        return event
    data_json = orjson.dumps(event.data)
    judged, area_id = judge(
        kind_of(event.type),
        event.subject,
        event.id,
        microseconds(event.time),
        orjson.loads(data_json),
        catalogue,
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


def conflict(entry: Entry, standing: bytes) -> DeadLetter:
    """The dead letter for an event id that was used before with other content."""
    problem = {
        "field": "id",
        "code": "identity_conflict",
        "message_vi": "Mã sự kiện này đã dùng cho một nội dung khác; bản đến trước được giữ. "
        "Hãy gửi lại thay đổi với mã sự kiện mới.",
        "message_en": "This event id was used before with other content; the earlier version stands. "
        "Send the change again with a new id.",
    }
    record = Record(entry.partition, entry.offset, entry.known_at, entry.event.subject.encode(), entry.raw)
    letter = _dead_letter(record, entry.epoch, entry.known_at, "identity_conflict", (problem,))
    return replace(letter, standing=standing)


def _misplaced(record: Record, subject: str, partition_count: int) -> Mapping[str, str] | None:
    if record.key != subject.encode():
        return {
            "field": "subject",
            "code": "key_is_not_subject",
            "message_vi": "Khóa của bản ghi Kafka không trùng với mã ca bệnh (subject).",
            "message_en": "The record's key is not its subject: send it with the subject as the key.",
        }
    if partition_for(record.key, partition_count) != record.partition:
        return {
            "field": "subject",
            "code": "wrong_partition",
            "message_vi": "Bản ghi nằm sai phân vùng Kafka.",
            "message_en": "The record is not in partition murmur2(key) mod n: send it with Kafka's default "
            "partitioner.",
        }
    return None


def _dead_letter(
    record: Record,
    epoch: int,
    known_at: datetime,
    error: str,
    problems: tuple[Mapping[str, str], ...],
) -> DeadLetter:
    redacted = redact(record.value or b"")
    return DeadLetter(
        epoch,
        record.partition,
        record.offset,
        known_at,
        error,
        problems,
        None if record.key is None else redact_key(record.key),
        redacted,
        None,
        *_identity(redacted),
    )


def _identity(redacted: bytes) -> tuple[str | None, UUID | None]:
    """Subject and event id of a redacted record, as far as it has them: its sender asks for it by them."""
    try:
        document = orjson.loads(redacted)
    except ValueError:
        return None, None
    subject, event_id = document.get("subject"), document.get("id")
    try:
        known_id = UUID(event_id) if isinstance(event_id, str) else None
    except ValueError:
        known_id = None
    return (subject if isinstance(subject, str) else None), known_id


@dataclass(frozen=True, slots=True)
class _Judged:
    """A batch, the view that it was judged with, and the view that its commit leads to."""

    records: Sequence[Record]
    view: View
    batch: Batch
    coming: View


class FoldCases:
    """Handles batches of records of `case-events` one at a time; the next may be prepared meanwhile."""

    def __init__(self, ledger: Ledger, announcements: Announcements, partition_count: int) -> None:
        self._ledger = ledger
        self._announcements = announcements
        self._partition_count = partition_count
        self._view: View | None = None
        self._assigned: frozenset[int] = frozenset()
        # The batch that is being handled and the one after it.
        self._prepared: deque[_Judged] = deque(maxlen=2)
        self._assignment = 0

    def forget(self, assigned: Iterable[int] = ()) -> None:
        """Drop what is remembered of the database: partitions were given or taken.

        `assigned` are those that are ours now: the positions of all of them are then read together.
        """
        self._view = None
        self._assigned = frozenset(assigned)
        self._prepared.clear()
        self._assignment += 1

    def prepare(self, records: Sequence[Record]) -> None:
        """Judge the batch that is to be handled next, while another is being committed.

        Saves time and nothing else: `handle` takes it over only where the view is then what was expected now,
        and the commit refuses a view that moved.
        """
        if self._prepared and self._prepared[-1].records is records:
            return
        view = self._prepared[-1].coming if self._prepared else self._view
        if view is None:
            return
        try:
            self._prepared.append(self._judge(records, view))
        except (KeyError, OutOfStep):
            # Of a partition that is not known yet, or known already: `handle` sees to it.
            self._prepared.clear()

    async def handle(self, records: Sequence[Record]) -> int:
        """Fold a batch; returns when it is committed and announced. Safe to call again with the same batch.

        Returns:
            How many of the records are in the dead letters.

        Raises:
            DependencyDown: a server does not answer; call again.
            OutOfStep: a record is missing before one of these.
        """
        try:
            committed = await self._commit(records)
        except RefusedData as refused:
            if len(records) > 1:
                # Only one record can be at fault; the others must not wait for a person.
                middle = len(records) // 2
                return await self.handle(records[:middle]) + await self.handle(records[middle:])
            committed = await self._commit(records, refused=str(refused))
        await self.announce(committed)
        return len(committed.dead)

    async def announce(self, committed: Committed) -> None:
        """Publish what was buried and which counts moved.

        Raises:
            DependencyDown: Kafka does not answer; call again.
        """
        await self._announcements.bury(committed.dead)
        await self._announcements.publish(committed.touched)

    def _judged(self, records: Sequence[Record], view: View) -> _Judged:
        for prepared in self._prepared:
            if prepared.records is records and prepared.view is view:
                return prepared
        # What was prepared follows on a view that did not come.
        self._prepared.clear()
        return self._judge(records, view)

    def _judge(self, records: Sequence[Record], view: View) -> _Judged:
        # Known records included: whoever folded them may have ended before he announced them.
        announced = {partition: first for partition, (first, _) in _ranges(records).items()}
        fresh = [r for r in records if r.offset >= view.positions[r.partition].next_offset]
        batch = self._decode(fresh, view, announced)
        coming = View(view.catalogue, {**view.positions, **batch.positions})
        return _Judged(records, view, batch, coming)

    def _decode(self, records: Sequence[Record], view: View, announced: Mapping[int, int]) -> Batch:
        return decode(records, view, self._partition_count, announced)

    async def _commit(self, records: Sequence[Record], refused: str | None = None) -> Committed:
        partitions = {record.partition for record in records}
        assignment = self._assignment
        while True:
            view = self._view
            if view is None or not partitions <= view.positions.keys():
                view = await self._ledger.view(partitions | self._assigned)
            if not partitions <= view.positions.keys():
                partition = min(partitions - view.positions.keys())
                raise OutOfStep(f"partition {partition}: the database has no position")
            judged = self._judged(records, view)
            try:
                committed = Committed(frozenset(), ())
                if judged.batch.positions:
                    batch = judged.batch if refused is None else _all_refused(judged.batch, records, refused)
                    committed = await self._ledger.commit(view, batch)
                # A rebalance meanwhile may have begun an epoch, in which these offsets are yet to be folded.
                self._view = judged.coming if assignment == self._assignment else None
                break
            except ViewMoved:
                self._view = None
        known = [r for r in records if r.offset < view.positions[r.partition].next_offset]
        if not known:
            return committed
        replayed = await self._ledger.replayed(_ranges(known))
        return Committed(committed.touched | replayed.touched, [*replayed.dead, *committed.dead])


def _all_refused(batch: Batch, records: Sequence[Record], reason: str) -> Batch:
    problem = {
        "field": "data",
        "code": "refused_by_database",
        "message_vi": "Cơ sở dữ liệu từ chối giá trị này; hãy báo cho quản trị hệ thống.",
        "message_en": f"The database refuses a value of this record: {reason}",
    }
    dead = []
    for record in records:
        position = batch.positions[record.partition]
        dead.append(
            _dead_letter(record, position.epoch, position.last_known_at, "refused_by_database", (problem,))
        )
    return Batch((), dead, batch.positions)


def _ranges(records: Iterable[Record]) -> dict[int, tuple[int, int]]:
    ranges: dict[int, tuple[int, int]] = {}
    for record in records:
        first, last = ranges.get(record.partition, (record.offset, record.offset))
        ranges[record.partition] = (min(first, record.offset), max(last, record.offset))
    return ranges
