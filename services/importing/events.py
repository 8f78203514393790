"""NDJSON: one CloudEvent a line, checked at the door, sent as it is. Repeats are told by their identity."""

from collections.abc import Sequence
from datetime import datetime

from schemas.events import (
    CASE_RETRACTED,
    CASE_UPDATED,
    DOOR_MAX_AHEAD,
    Event,
    InvalidEvent,
    parse_event,
    to_json,
)
from services.importing.outcome import WHOLE_ROW, Fault, Outcome
from services.importing.sender import CASE_EVENTS, REPORT_KINDS, Identities, Sender, is_parked
from streams.domain.catalogue import Catalogue
from streams.handlers.fold_reports import TOPICS


class EventImport:
    """One import of a file of events."""

    def __init__(
        self,
        *,
        identities: Identities,
        sender: Sender,
        catalogue: Catalogue,
        now: datetime,
        outcome: Outcome,
    ) -> None:
        self._identities = identities
        self._sender = sender
        self._catalogue = catalogue
        self._now = now
        self._outcome = outcome
        # (subject and id) → content hash of what this file has said so far; the fold may not know it yet.
        self._seen: dict[bytes, bytes] = {}

    def take(self, lines: Sequence[tuple[int, bytes]]) -> None:
        """Check some lines (number, bytes) in the order of the file, and send what is new.

        Raises:
            DependencyDown: nothing says which lines arrived; the same file again sends them once more,
                and the fold counts them once.
        """
        outcome = self._outcome
        outcome.rows += len(lines)
        events: list[tuple[int, bytes, Event]] = []
        for number, line in lines:
            try:
                event = parse_event(line, now=self._now, max_ahead=DOOR_MAX_AHEAD)
            except InvalidEvent as invalid:
                outcome.reject(
                    number,
                    (Fault(p.field or WHOLE_ROW, p.message_vi, p.message_en) for p in invalid.problems),
                )
                continue
            events.append((number, line, event))
        known = self._identities.hashes([(event.subject, event.id) for _, _, event in events])
        new: dict[str, list[tuple[bytes, bytes]]] = {}
        for number, line, event in events:
            key = event.subject.encode() + event.id.bytes
            standing = self._seen.get(key) or known.get((event.subject, event.id))
            if standing is None:
                self._seen[key] = event.content_hash
                new.setdefault(_topic_of(event), []).append((event.subject.encode(), line))
                is_change = event.type in (CASE_UPDATED, CASE_RETRACTED)
                outcome.created += not is_change
                outcome.updated += is_change
                outcome.parked += is_parked(to_json(event), self._catalogue)
            elif standing == event.content_hash:
                outcome.unchanged += 1
            else:
                outcome.reject(number, (_CONFLICT,))
        for topic, records in new.items():
            self._sender.deliver(records, topic)


def _topic_of(event: Event) -> str:
    kind = REPORT_KINDS.get(event.type)
    return CASE_EVENTS if kind is None else TOPICS[kind]


_CONFLICT = Fault(
    "id",
    "Mã bản ghi này đã dùng cho một nội dung khác; bản trước được giữ. Hãy gửi thay đổi với mã (id) mới.",
    "This event id was used for other content; the earlier version stands. Send the change with a new id.",
)
