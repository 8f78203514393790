"""What the door does with a request's body: judge every event, ask what is known, send, report.

A request is one act: unless every event is valid and none is in conflict, nothing of it is sent. What was
sent is accepted only when Kafka has acknowledged it. Repeating a request is always safe, because events are
known by (subject, id).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from schemas.events import CASE_TYPES, DOOR_MAX_AHEAD, TALLY_REPORTED, Event, InvalidEvent, parse_event
from services.intake.advisory import Advisory, CurrentCatalogue
from services.intake.body import split_body
from services.intake.documents import EventOutcome, FieldError, FieldWarning, Outcome, Receipt
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
_REMEMBERED = 10_000

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
_WARNINGS: Mapping[str, FieldWarning] = {"unknown_disease": _UNKNOWN_DISEASE, "unknown_area": _UNKNOWN_AREA}


@dataclass(frozen=True, slots=True)
class _Received:
    """One valid event and the bytes that it came in."""

    raw: bytes
    event: Event

    @property
    def identity(self) -> Identity:
        return self.event.subject, self.event.id


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
        self._recent: OrderedDict[Identity, bytes] = OrderedDict()

    async def receive(self, body: bytes, media_type: str) -> Receipt:
        """Take a body in; returns when Kafka has every event of it.

        Args:
            body: As sent.
            media_type: One of body.MEDIA_TYPES.

        Raises:
            Refused: with everything that is wrong, or with what Kafka has not acknowledged.
        """
        deadline = asyncio.get_running_loop().time() + self._send_seconds
        if len(body) <= _INLINE_BYTES:
            received = self._judge(body, media_type)
        else:
            received = await asyncio.to_thread(self._judge, body, media_type)
        identities = list({item.identity for item in received})
        known, catalogue = await asyncio.gather(
            self._identities.ask(lambda: self._knowledge.known_hashes(identities)), self._catalogue.get()
        )
        outcomes, first = self._sort(received, known or {})
        to_send = [index for index, outcome in enumerate(outcomes) if outcome == "accepted"]
        records = [self._record(received[index]) for index in to_send]
        remaining = max(0.0, deadline - asyncio.get_running_loop().time())
        acknowledged: list[bool] = []
        if records:
            with self._metrics.kafka_seconds.time():
                acknowledged = await self._sink.send(records, remaining)
        for index, is_acknowledged in zip(to_send, acknowledged, strict=True):
            if is_acknowledged:
                self._remember(received[index])
            else:
                outcomes[index] = "unconfirmed"
        for index, outcome in enumerate(outcomes):
            if outcome == "repeat" and outcomes[first[received[index].identity]] == "unconfirmed":
                outcomes[index] = "unconfirmed"
        events = [
            self._outcome(index, item, outcome, catalogue)
            for index, (item, outcome) in enumerate(zip(received, outcomes, strict=True))
        ]
        if "unconfirmed" in outcomes:
            raise Refused("kafka-down", events=events)
        return {
            "accepted": outcomes.count("accepted"),
            "unchanged": outcomes.count("unchanged"),
            "repeats": outcomes.count("repeat"),
            "events": events,
        }

    def _judge(self, body: bytes, media_type: str) -> list[_Received]:
        members = split_body(body, media_type)
        now = self._clock()
        received: list[_Received] = []
        errors: list[FieldError] = []
        for index, raw in enumerate(members):
            try:
                received.append(_Received(raw, parse_event(raw, now=now, max_ahead=DOOR_MAX_AHEAD)))
            except InvalidEvent as invalid:
                errors.extend(
                    {
                        "index": index,
                        "field": problem.field,
                        "code": problem.code,
                        "message_vi": problem.message_vi,
                        "message_en": problem.message_en,
                    }
                    for problem in invalid.problems
                )
                if len(errors) >= MAX_ERRORS:
                    break
        if errors:
            codes = {error["code"] for error in errors}
            kind = "not-json" if "not_json" in codes else "too-large" if "too_large" in codes else "invalid"
            raise Refused(kind, errors[:MAX_ERRORS])
        return received

    def _sort(
        self, received: Sequence[_Received], known: Mapping[Identity, bytes]
    ) -> tuple[list[Outcome], dict[Identity, int]]:
        """What is to become of each event ("accepted": to be sent), and where each identity first stands.

        Raises:
            Refused: an identity is known with other content.
        """
        outcomes: list[Outcome] = []
        first: dict[Identity, int] = {}
        errors: list[FieldError] = []
        for index, item in enumerate(received):
            earlier = first.setdefault(item.identity, index)
            journaled = known.get(item.identity)
            standing = journaled or self._recent.get(item.identity) or received[earlier].event.content_hash
            if standing != item.event.content_hash:
                errors.append(_conflict(index))
            elif earlier != index:
                outcomes.append("repeat")
            else:
                outcomes.append("accepted" if journaled is None else "unchanged")
        if errors:
            raise Refused("conflict", errors)
        return outcomes, first

    def _record(self, item: _Received) -> Outgoing:
        return Outgoing(self._topics[item.event.type], item.event.subject.encode(), item.raw)

    def _remember(self, item: _Received) -> None:
        self._metrics.last_accepted.set_to_current_time()
        self._recent[item.identity] = item.event.content_hash
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)

    def _outcome(
        self, index: int, item: _Received, outcome: Outcome, catalogue: Catalogue | None
    ) -> EventOutcome:
        warnings = [] if catalogue is None else _warnings(item.event, catalogue)
        self._metrics.events.labels(outcome).inc()
        for warning in warnings:
            self._metrics.warnings.labels(warning["code"]).inc()
        return {
            "index": index,
            "subject": item.event.subject,
            "id": str(item.event.id),
            "outcome": outcome,
            "warnings": warnings,
        }


def _warnings(event: Event, catalogue: Catalogue) -> list[FieldWarning]:
    data = orjson.loads(orjson.dumps(event.data))
    if event.type in CASE_TYPES:
        judged, _ = judge(
            kind_of(event.type), event.subject, event.id, microseconds(event.time), data, catalogue
        )
        return [_WARNINGS[judged.reason]] if isinstance(judged, Parked) else []
    kind: ReportKind = "tally" if event.type == TALLY_REPORTED else "focus"
    report, _ = judge_report(kind, event.subject, event.id, microseconds(event.time), data, catalogue)
    return [_WARNINGS[report.reason]] if isinstance(report, Parked) else []


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
