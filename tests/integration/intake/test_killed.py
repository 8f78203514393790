"""kill -9 under load: what was answered 202 is in Kafka; the rest, sent again, is counted once."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from schemas.topics.partitioner import partition_for
from services.settings import Settings
from streams.handlers.fold_cases import Record
from tests.builders import START, event
from tests.component.intake.process import IntakeProcess, running_intake
from tests.conftest import environment_of
from tests.integration.intake.conftest import Consume
from tests.posting import Connection
from tests.unit.handlers.test_fold_cases import Bench

pytestmark = pytest.mark.native

PARTITIONS = 12
SENDERS = 8
EACH = 60
LINES = 10


def subjects_in(records: Iterable[tuple[int, bytes | None, bytes | None]]) -> set[str]:
    """Whose events a topic holds."""
    return {key.decode() for _, key, _ in records if key is not None}


class Senders:
    """Eight at a time, every second one with NDJSON of ten lines.

    Attributes:
        waiting: What no answer has come for, by subject.
        accepted: Subjects that were answered 202.
    """

    def __init__(self) -> None:
        self.waiting = {
            f"LC-{sender}-{n}": event(f"LC-{sender}-{n}", sender * EACH + n + 1)
            for sender in range(SENDERS)
            for n in range(EACH)
        }
        self.accepted: set[str] = set()

    async def send(self, intake: IntakeProcess, kill_after: int | None) -> None:
        """Send all that waits; the intake is killed when so many are accepted."""
        per_sender: dict[str, list[str]] = {}
        for subject in self.waiting:
            per_sender.setdefault(subject.split("-")[1], []).append(subject)

        async def work(subjects: list[str], size: int) -> None:
            try:
                async with await Connection.open(intake.url) as connection:
                    for start in range(0, len(subjects), size):
                        some = subjects[start : start + size]
                        body = b"\n".join(self.waiting[subject] for subject in some)
                        media_type = "application/x-ndjson" if size > 1 else "application/cloudevents+json"
                        status, answer = await connection.post(body, media_type)
                        assert status == 202, answer
                        self.accepted.update(some)
                        if kill_after is not None and len(self.accepted) >= kill_after:
                            intake.process.kill()
            except (OSError, EOFError):
                assert kill_after is not None

        await asyncio.gather(
            *(
                work(subjects, LINES if int(sender) % 2 else 1)
                for sender, subjects in sorted(per_sender.items())
            )
        )
        for subject in self.accepted & self.waiting.keys():
            del self.waiting[subject]


def counted(records: Iterable[tuple[int, bytes | None, bytes | None]]) -> tuple[int, int]:
    """Cases and journaled events after the records went through the fold; the keys' own partitions."""
    bench = Bench(PARTITIONS)
    ends: dict[int, int] = {}
    batch = []
    for _, key, value in records:
        partition = partition_for(key, PARTITIONS)
        offset = ends.get(partition, 0)
        batch.append(Record(partition, offset, START, key, value))
        ends[partition] = offset + 1
    assert bench.handle(batch) == 0
    return bench.notified, len(bench.ledger.journal)


def test_nothing_that_was_accepted_is_lost_and_nothing_is_doubled(
    scratch_settings: Settings, consume: Consume, tmp_path: Path
) -> None:
    environment = environment_of(scratch_settings)
    topic = f"{scratch_settings.topic_prefix}case-events"
    senders = Senders()
    everybody = set(senders.waiting)

    with running_intake(tmp_path, environment) as intake:
        asyncio.run(senders.send(intake, kill_after=len(everybody) // 3))
        intake.process.wait(30)
    accepted = set(senders.accepted)
    assert len(everybody) // 3 <= len(accepted) < len(everybody)
    assert accepted <= subjects_in(consume(topic))

    with running_intake(tmp_path, environment) as intake:
        asyncio.run(senders.send(intake, kill_after=None))
    records = consume(topic)
    assert not senders.waiting
    assert subjects_in(records) == everybody
    assert counted(records) == (len(everybody), len(everybody))


def test_a_lost_event_and_a_doubled_one_would_be_seen() -> None:
    sent = [(0, b"LC-1", event("LC-1", 1)), (0, b"LC-2", event("LC-2", 2))]
    assert counted([*sent, *sent]) == counted(sent) == (2, 2)
    assert subjects_in(sent[:1]) == {"LC-1"}
    assert counted(sent[:1]) == (1, 1)
    # Sent again under another id.
    assert counted([*sent, (0, b"LC-1", event("LC-1", 3))]) == (2, 3)
