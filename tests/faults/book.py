"""The records that are sent, and what must become of each.

A book has chapters (one per round of faults), a chapter has chunks: a chunk is sent when Kafka has
acknowledged the one before, so that "the first offset wins" has a known winner.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from schemas.catalogue import Catalogue
from schemas.topics.partitioner import partition_for
from services.demo.scale import generate_events

PROVINCES: Final = ("10", "12")


class Mixture(NamedTuple):
    """What a book holds beside its events, each per event."""

    repeated: float = 0.08
    reworded: float = 0.05
    conflicting: float = 0.01
    poisoned: float = 0.012
    parked: float = 0.005


INVALID: Final = "invalid_event"
MISPLACED: Final = "misplaced_record"
CONFLICT: Final = "identity_conflict"


class Item(NamedTuple):
    """A record to be sent. `partition` None: where its key belongs."""

    key: bytes | None
    value: bytes | None
    partition: int | None = None


Chunk = list[Item]


def identity(raw: bytes) -> tuple[str, str]:
    """Subject and id of a generated event."""
    event = json.loads(raw)
    return event["subject"], event["id"]


@dataclass
class Book:
    """Writes chapters and remembers what they say.

    Attributes:
        events: Every event that must end in the journal, once.
        dead: Record value -> why it must end in the dead letters, once per record of it.
        conflicts: Record value -> the event whose identity it bears; must end in its dead letter, too.
        written: How many records of each kind there are.
    """

    catalogue: Catalogue
    rng: random.Random
    partitions: int
    chunk_records: int
    events: list[bytes] = field(default_factory=list)
    dead: dict[bytes | None, str] = field(default_factory=dict)
    conflicts: dict[bytes, bytes] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)
    mixture: Mixture = field(default_factory=Mixture)
    # Events of other cases, to be made into something else.
    _spare: Iterator[bytes] = field(default_factory=lambda: iter(()), repr=False)

    def chapters(self, sizes: Sequence[int]) -> Iterator[list[Chunk]]:
        """Write one chapter per size (in events); about 1.16 records per event.

        A case's events are spread over all chapters.
        """
        number_of_events = sum(sizes)
        seed = self.rng.getrandbits(30)
        events = list(generate_events(number_of_events, seed, catalogue=self.catalogue, provinces=PROVINCES))
        self.rng.shuffle(events)
        self._spare = generate_events(
            10 * number_of_events, seed + 1, catalogue=self.catalogue, provinces=PROVINCES
        )
        for size in sizes:
            fresh, events = events[:size], events[size:]
            yield self._chapter(fresh)

    def _chapter(self, fresh: list[bytes]) -> list[Chunk]:
        rng, mixture = self.rng, self.mixture
        parked = [self._parked() for _ in range(_share(fresh, mixture.parked))]
        self.events += [*fresh, *parked]
        repeated = rng.choices(self.events, k=_share(fresh, mixture.repeated))
        reworded = rng.choices(self.events, k=_share(fresh, mixture.reworded))
        items = [_item(raw) for raw in (*fresh, *parked, *repeated, *map(self._reworded, reworded))]
        items += [self._poison(number) for number in range(_share(fresh, mixture.poisoned))]
        rng.shuffle(items)
        size = self.chunk_records
        chunks = [items[at : at + size] for at in range(0, len(items), size)]
        conflicting = _share(fresh, mixture.conflicting)
        self._add_conflicts(chunks, conflicting)
        self.written.update(
            {
                "events": len(fresh),
                "events of an unknown area or disease": len(parked),
                "same identity, same content": len(repeated),
                "same identity, same content in other words": len(reworded),
                "same identity, other content": conflicting,
                "no event": _share(fresh, mixture.poisoned),
            }
        )
        return chunks

    def _add_conflicts(self, chunks: list[Chunk], number: int) -> None:
        """Put other contents of known identities after the chunk in which the identity first appears."""
        first: dict[tuple[str, str], int] = {}
        for at, chunk in enumerate(chunks):
            for item in chunk:
                if item.value is not None and item.value not in self.dead:
                    subject, event_id = identity(item.value)
                    first.setdefault((subject, event_id.lower()), at)
        if number:
            chunks.append([])
        for _ in range(number):
            raw = self.rng.choice(self.events)
            # An identity that is not in this chapter was sent in an earlier one.
            at = self.rng.randint(first.get(identity(raw), -1) + 1, len(chunks) - 1)
            value = self._contradicting(raw)
            self.dead[value] = CONFLICT
            self.conflicts[value] = raw
            chunks[at].insert(self.rng.randint(0, len(chunks[at])), _item(value))

    def _contradicting(self, raw: bytes) -> bytes:
        event = json.loads(raw)
        if event["type"].endswith("retracted.v1"):
            event["data"] = {"reason": "duplicate", "duplicate_of": f"X-{len(self.dead)}"}
        else:
            # Seen by the counts if it should win, and like no other record.
            event["data"] |= {"classification": "discarded", "hamlet": f"bản {len(self.dead)}"}
        return json.dumps(event).encode()

    def _reworded(self, raw: bytes) -> bytes:
        event: dict[str, Any] = json.loads(raw)
        event["id"] = event["id"].upper()
        event["time"] = datetime.fromisoformat(event["time"]).astimezone(UTC).isoformat()
        event["datacontenttype"] = "application/json"
        return json.dumps(dict(reversed(event.items())), indent=1).encode()

    def _parked(self) -> bytes:
        event = json.loads(next(self._spare))
        if event["data"].get("area_code"):
            event["data"]["area_code"] = "99999"
        else:
            event["data"] = {"disease": "disease_of_next_year"}
            event["type"] = "vn.canhdich.case.updated.v1"
        return json.dumps(event).encode()

    def _poison(self, number: int) -> Item:
        raw = next(self._spare)
        event = json.loads(raw)
        key = event["subject"].encode()
        kinds = (
            (Item(key, raw[: len(raw) // 2]), INVALID),
            (Item(key, json.dumps(event | {"time": "2199-01-01T00:00:00Z"}).encode()), INVALID),
            (Item(key, json.dumps(event | {"note": "of no contract"}).encode()), INVALID),
            (Item(key, None), INVALID),
            (Item(b"S-of-somebody-else", raw), MISPLACED),
            (Item(None, raw), MISPLACED),
            (Item(key, raw, (partition_for(key, self.partitions) + 1) % self.partitions), MISPLACED),
        )
        item, error = kinds[number % len(kinds)]
        self.dead[item.value] = error
        return item


def _share(fresh: list[bytes], share: float) -> int:
    """At least one of a kind in the smallest book, where there are any."""
    return max(1, round(len(fresh) * share)) if share else 0


def _item(raw: bytes) -> Item:
    return Item(json.loads(raw)["subject"].encode(), raw)
