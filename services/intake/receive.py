"""What the door does with a request's body: judge every event, ask what is known, send, report.

A request is one act: unless every event is valid and none is in conflict, nothing of it is sent; of NDJSON
each line is. What was sent is accepted only when Kafka has acknowledged it. Repeating a request is always
safe, because events are known by (subject, id).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import orjson
from typing_extensions import TypedDict

from schemas.events import CASE_TYPES, DOOR_MAX_AHEAD, TALLY_REPORTED, Event, InvalidEvent, parse_event
from services.intake.advisory import Advisory, CurrentCatalogue
from services.intake.body import split_body, split_lines
from services.intake.documents import (
    BulkReceipt,
    EventOutcome,
    FieldError,
    FieldWarning,
    LineOutcome,
    Outcome,
    Receipt,
)
from services.intake.metrics import Metrics
from services.intake.ports import EventSink, Identity, Knowledge, Outgoing
from services.intake.problems import Refused
from streams.domain.calendar import microseconds
from streams.domain.catalogue import Catalogue
from streams.domain.judging import Parked, judge, kind_of
from streams.domain.reports import ReportKind, judge_report

# More would help nobody, and a hostile body could make the answer a hundred times its own size.
MAX_ERRORS = 1_000
# Judging so much takes long enough for other requests to notice.
_INLINE_BYTES = 32 * 1024
_REMEMBERED = 50_000

_Result = TypeVar("_Result")

_UNKNOWN_DISEASE: FieldWarning = {
    "field": "data.disease",
    "code": "unknown_disease",
    "message_vi": "Đã nhận nhưng chưa được tính: danh mục chưa có mã bệnh này. Hãy kiểm tra mã; nếu gõ "
    "nhầm thì gửi bản cập nhật.",
    "message_en": "Accepted, but not counted as long as the catalogue does not know this disease code. "
    "Check it; if it is mistyped, send an update.",
}
_UNKNOWN_AREA: FieldWarning = {
    "field": "data.area_code",
    "code": "unknown_area",
    "message_vi": "Đã nhận nhưng chưa được tính: vào ngày đó danh mục không có mã địa bàn này (mã thay đổi "
    "từ 01/7/2025). Hãy kiểm tra mã và area_on; nếu sai thì gửi bản cập nhật.",
    "message_en": "Accepted, but not counted as long as the catalogue does not know this area code on that "
    "day (codes changed on 2025-07-01). Check the code and area_on; if it is wrong, send an update.",
}
WARNINGS: Mapping[str, FieldWarning] = {"unknown_disease": _UNKNOWN_DISEASE, "unknown_area": _UNKNOWN_AREA}
"""What is said of an event that is parked, by the reason."""


@dataclass(frozen=True, slots=True)
class _Received:
    """One valid event, the bytes that it came in, and its place in what was sent."""

    index: int
    raw: bytes
    event: Event

    @property
    def identity(self) -> Identity:
        return self.event.subject, self.event.id


@dataclass(frozen=True, slots=True)
class _Recent:
    """Of an event that Kafka acknowledged."""

    content_hash: bytes
    source: str


class _Recents:
    """Events that Kafka acknowledged lately, the oldest forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[Identity, _Recent] = OrderedDict()
        self._subjects: dict[UUID, set[str]] = {}

    def get(self, identity: Identity) -> _Recent | None:
        return self._known.get(identity)

    def remember(self, event: Event) -> None:
        self._known[event.subject, event.id] = _Recent(event.content_hash, event.source)
        self._subjects.setdefault(event.id, set()).add(event.subject)
        if len(self._known) > _REMEMBERED:
            (subject, event_id), _ = self._known.popitem(last=False)
            self._subjects[event_id].discard(subject)
            if not self._subjects[event_id]:
                del self._subjects[event_id]

    def sources(self, event_id: UUID) -> dict[str, str]:
        """By subject."""
        return {
            subject: self._known[subject, event_id].source for subject in self._subjects.get(event_id, ())
        }


@dataclass(slots=True)
class _Judged:
    """The valid events of a body, and the faults of the others by their place."""

    received: list[_Received]
    faults: dict[int, list[FieldError]]

    @property
    def errors(self) -> list[FieldError]:
        return [error for errors in self.faults.values() for error in errors]

    def refuse(self, faults: Mapping[int, FieldError]) -> None:
        """Take events out by their places, each for a fault."""
        self.faults.update({index: [{**error, "index": index}] for index, error in faults.items()})
        self.received = [item for item in self.received if item.index not in self.faults]


May = Callable[[Sequence[Event]], Awaitable[Sequence[FieldError | None]]]
"""Whether the sender may send such events: for each of them None, or why not (`index` is filled in)."""


class Door:
    """Takes bodies in, one act each."""

    def __init__(
        self,
        sink: EventSink,
        knowledge: Knowledge,
        catalogue: CurrentCatalogue,
        metrics: Metrics,
        *,
        topics: Mapping[str, str],
        clock: Callable[[], datetime],
        send_seconds: float,
    ) -> None:
        """`topics` names the topic of each event type; `clock` gives an aware datetime."""
        self._sink = sink
        self._knowledge = knowledge
        self._catalogue = catalogue
        self._metrics = metrics
        self._identities = Advisory("identities", metrics)
        self._topics = topics
        self._clock = clock
        self._send_seconds = send_seconds
        # Acknowledged lately, and perhaps not yet in the journal.
        self._recent = _Recents()

    async def receive(self, body: bytes, media_type: str, may: May | None = None) -> Receipt:
        """Take an event or a list in, as a whole or not at all; returns when Kafka has every event of it.

        Args:
            body: As sent.
            media_type: One of body.MEDIA_TYPES, but not NDJSON.
            may: Whether the sender may send them; None: whatever it is.

        Raises:
            Refused: with everything that is wrong, or with what Kafka has not acknowledged.
        """
        deadline = self._deadline()
        judged = await _off_the_loop(len(body), lambda: self._judge(enumerate(split_body(body, media_type))))
        if judged.faults:
            codes = {error["code"] for error in judged.errors}
            kind = "not-json" if "not_json" in codes else "too-large" if "too_large" in codes else "invalid"
            raise Refused(kind, judged.errors[:MAX_ERRORS])
        received = judged.received
        await self._ask_whether(judged, may)
        if judged.faults:
            raise Refused("not-allowed", judged.errors)
        outcomes, catalogue = await self._sort(judged)
        if judged.faults:
            raise Refused("conflict", judged.errors)
        await self._send(received, outcomes, deadline)
        events = await _off_the_loop(len(body), lambda: self._told(received, outcomes, catalogue))
        if "unconfirmed" in outcomes.values():
            raise Refused("kafka-down", events=events)
        return {**_numbers(outcomes), "events": events}

    async def receive_lines(self, body: bytes, may: May | None = None) -> BulkReceipt:
        """Take NDJSON in, each line for itself; returns when Kafka has every event that is not refused.

        Args:
            body: As sent.
            may: As for `receive`.

        Raises:
            Refused: there are no lines or too many, or so many faulty ones that nothing of it is taken; or
                Kafka has not acknowledged all, then with what it has acknowledged and the faults of the
                other lines.
        """
        deadline = self._deadline()
        judged = await _off_the_loop(len(body), lambda: self._judge(split_lines(body)))
        if len(judged.faults) >= MAX_ERRORS:
            raise Refused("invalid", judged.errors[:MAX_ERRORS])
        await self._ask_whether(judged, may)
        outcomes, catalogue = await self._sort(judged)
        await self._send(judged.received, outcomes, deadline)
        events = await _off_the_loop(len(body), lambda: self._told(judged.received, outcomes, catalogue))
        if "unconfirmed" in outcomes.values():
            raise Refused("kafka-down", judged.errors, events)
        self._metrics.events.labels("refused").inc(len(judged.faults))
        for error in judged.errors:
            self._metrics.faults.labels(error["code"]).inc()
        lines = [_line(event) for event in events]
        lines += [_refused_line(index, errors) for index, errors in judged.faults.items()]
        return {
            **_numbers(outcomes),
            "refused": len(judged.faults),
            "lines": sorted(lines, key=lambda line: line["index"]),
        }

    def recent_subjects(self, event_id: UUID) -> Mapping[str, str]:
        """Subjects whose event of this id Kafka acknowledged here lately, with the source of each event."""
        return self._recent.sources(event_id)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._send_seconds

    def _judge(self, members: Iterable[tuple[int, bytes]]) -> _Judged:
        """Which members are valid events; reads no further than MAX_ERRORS faulty ones."""
        now = self._clock()
        judged, faults = _Judged([], {}), 0
        for index, raw in members:
            try:
                event = parse_event(raw, now=now, max_ahead=DOOR_MAX_AHEAD)
            except InvalidEvent as invalid:
                # One fault at least, so that no event is dropped without a word.
                problems = invalid.problems[: max(1, MAX_ERRORS - faults)]
                judged.faults[index] = [
                    {
                        "index": index,
                        "field": problem.field,
                        "code": problem.code,
                        "message_vi": problem.message_vi,
                        "message_en": problem.message_en,
                    }
                    for problem in problems
                ]
                faults += len(problems)
                if len(judged.faults) >= MAX_ERRORS:
                    break
            else:
                judged.received.append(_Received(index, raw, event))
        return judged

    async def _ask_whether(self, judged: _Judged, may: May | None) -> None:
        if may is not None:
            answers = await may([item.event for item in judged.received])
            judged.refuse(
                {
                    item.index: error
                    for item, error in zip(judged.received, answers, strict=True)
                    if error is not None
                }
            )

    async def _sort(self, judged: _Judged) -> tuple[dict[int, Outcome], Catalogue | None]:
        """What is to become of each event by its place ("accepted": to be sent), and the catalogue.

        Conflicts become faults.
        """
        identities = list({item.identity for item in judged.received})
        answer, catalogue = await asyncio.gather(
            self._identities.ask(lambda: self._knowledge.known_hashes(identities)), self._catalogue.get()
        )
        known = answer or {}
        outcomes: dict[int, Outcome] = {}
        earlier: dict[Identity, bytes] = {}
        conflicts: dict[int, FieldError] = {}
        for item in judged.received:
            content = item.event.content_hash
            journaled = known.get(item.identity)
            recent = self._recent.get(item.identity)
            standing = journaled or (recent.content_hash if recent else earlier.get(item.identity, content))
            if standing != content:
                conflicts[item.index] = _conflict(item.index)
            elif item.identity in earlier:
                outcomes[item.index] = "repeat"
            else:
                earlier[item.identity] = content
                outcomes[item.index] = "accepted" if journaled is None else "unchanged"
        judged.refuse(conflicts)
        return outcomes, catalogue

    async def _send(
        self, received: Sequence[_Received], outcomes: dict[int, Outcome], deadline: float
    ) -> None:
        """Send what is to be sent; what Kafka does not acknowledge becomes "unconfirmed"."""
        to_send = [item for item in received if outcomes[item.index] == "accepted"]
        remaining = max(0.0, deadline - asyncio.get_running_loop().time())
        acknowledged: list[bool] = []
        if to_send:
            with self._metrics.kafka_seconds.time():
                acknowledged = await self._sink.send([self._record(item) for item in to_send], remaining)
        unconfirmed = set()
        for item, is_acknowledged in zip(to_send, acknowledged, strict=True):
            if is_acknowledged:
                self._remember(item)
            else:
                outcomes[item.index] = "unconfirmed"
                unconfirmed.add(item.identity)
        for item in received:
            if outcomes[item.index] == "repeat" and item.identity in unconfirmed:
                outcomes[item.index] = "unconfirmed"

    def _record(self, item: _Received) -> Outgoing:
        return Outgoing(self._topics[item.event.type], item.event.subject.encode(), item.raw)

    def _remember(self, item: _Received) -> None:
        self._metrics.last_accepted.set_to_current_time()
        self._recent.remember(item.event)

    def _told(
        self, received: Sequence[_Received], outcomes: Mapping[int, Outcome], catalogue: Catalogue | None
    ) -> list[EventOutcome]:
        return [self._outcome(item, outcomes[item.index], catalogue) for item in received]

    def _outcome(self, item: _Received, outcome: Outcome, catalogue: Catalogue | None) -> EventOutcome:
        warnings = [] if catalogue is None else _warnings(item.event, catalogue)
        self._metrics.events.labels(outcome).inc()
        for warning in warnings:
            self._metrics.warnings.labels(warning["code"]).inc()
        return {
            "index": item.index,
            "subject": item.event.subject,
            "id": str(item.event.id),
            "outcome": outcome,
            "warnings": warnings,
        }


async def _off_the_loop(size: int, work: Callable[[], _Result]) -> _Result:
    """Do what takes time for a large body where other requests do not have to wait for it."""
    return work() if size <= _INLINE_BYTES else await asyncio.to_thread(work)


class _Numbers(TypedDict):
    accepted: int
    unchanged: int
    repeats: int


def _numbers(outcomes: Mapping[int, Outcome]) -> _Numbers:
    found = list(outcomes.values())
    return {
        "accepted": found.count("accepted"),
        "unchanged": found.count("unchanged"),
        "repeats": found.count("repeat"),
    }


def _line(event: EventOutcome) -> LineOutcome:
    # None is unconfirmed when lines are answered one by one.
    return {**event, "errors": []}  # type: ignore[typeddict-item]


def _refused_line(index: int, errors: list[FieldError]) -> LineOutcome:
    # What is not valid may hold what nobody should have sent: not even its subject is repeated.
    return {
        "index": index,
        "subject": None,
        "id": None,
        "outcome": "refused",
        "warnings": [],
        "errors": errors,
    }


def _warnings(event: Event, catalogue: Catalogue) -> list[FieldWarning]:
    data = orjson.loads(orjson.dumps(event.data))
    if event.type in CASE_TYPES:
        judged, _ = judge(
            kind_of(event.type), event.subject, event.id, microseconds(event.time), data, catalogue
        )
        return [WARNINGS[judged.reason]] if isinstance(judged, Parked) else []
    kind: ReportKind = "tally" if event.type == TALLY_REPORTED else "focus"
    report, _ = judge_report(kind, event.subject, event.id, microseconds(event.time), data, catalogue)
    return [WARNINGS[report.reason]] if isinstance(report, Parked) else []


def _conflict(index: int) -> FieldError:
    return {
        "index": index,
        "field": "id",
        "code": "identity_conflict",
        "message_vi": "Mã sự kiện này đã dùng cho một nội dung khác của cùng ca; bản đến trước được giữ. "
        "Hãy gửi thay đổi với mã sự kiện mới.",
        "message_en": "This event id was used before, for the same subject, with other content; the "
        "earlier version stands. Send the change with a new id.",
    }
