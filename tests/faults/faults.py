"""What can happen: each fault a function of a run, none of them gentle.

Each makes sure that it did happen, and says what was seen of it; one that did not happen is an error of the
suite.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import LiteralString

import psycopg

from schemas.topics import load_topics
from streams.stores.broker import create_topics, topic_partitions
from tests.faults.run import Run
from tests.faults.servers import ALL, ServerName
from tests.faults.stream import (
    PATIENCE_SECONDS,
    admin,
    answered,
    end_offsets_of,
    folded,
    folded_records,
    group_members,
    group_offsets,
    read_topic,
    set_group_offsets,
    set_topic_config,
    wait_for,
)

Fault = Callable[[Run], str]
_HOUR_MS = 3_600_000
# How often a worker tells Kafka's group how far it is.
COMMIT_SECONDS = 2.0


def kill_worker(run: Run) -> str:
    """kill -9 a worker."""
    run.let_flow()
    process = run.crew.kill(run.rng)
    return f"process {process} ended by signal 9"


def kill_broker(run: Run) -> str:
    """kill -9 Kafka."""
    run.let_flow()
    return _kill_and_start(run, "kafka")


def kill_database(run: Run) -> str:
    """kill -9 TimescaleDB."""
    run.let_flow()
    return _kill_and_start(run, "timescale")


def _kill_and_start(run: Run, name: ServerName) -> str:
    before = run.servers.process(name)
    run.servers.kill(name)
    run.servers.start(name)
    return f"process {before} and its children ended by signal 9, {run.servers.process(name)} in its place"


def stop_database(run: Run) -> str:
    """Shut TimescaleDB down for a while."""
    before = folded_records(run.where)
    run.let_flow()
    run.servers.stop("timescale")
    time.sleep(run.size.outage_seconds)
    waiting = sum(_ends(run).values()) - run.high_water.records
    run.servers.start("timescale")
    must_be(waiting > 0, "records wait in Kafka")
    return (
        f"down for {run.size.outage_seconds:.0f} s; {run.high_water.records - before} folded while it went, "
        f"{waiting} waited in Kafka"
    )


def kill_hanging_worker(run: Run) -> str:
    """kill -9 a worker that hangs in a transaction, when it has had time to acknowledge what it holds."""
    with suppress(TimeoutError):
        wait_for("the group ahead", 4 * COMMIT_SECONDS, lambda: _ahead(run) > 0)
    return _kill_all(run)


def kill_worker_that_acknowledged(run: Run) -> str:
    """kill -9 a worker that hangs in a transaction, when Kafka's group is past what is folded."""
    wait_for("the group ahead", PATIENCE_SECONDS, lambda: _ahead(run) > 0)
    return _kill_all(run)


def _ahead(run: Run) -> int:
    return sum(group_offsets(run.where).values()) - run.high_water.records


def _kill_all(run: Run) -> str:
    ahead = max(0, answered(lambda: _ahead(run)))
    run.crew.scale(run.crew.kill_all())
    return f"the group was {ahead} records ahead of what was folded"


def pause_worker(run: Run) -> str:
    """Stop a worker for longer than its session lasts: it wakes up with a batch that is another's by now."""
    everybody = run.crew.wanted
    run.flow_until("all workers in the group", lambda: group_members(run.where) == everybody)
    with run.crew.one_paused(run.rng) as process:
        run.flow_until("the group without the paused one", lambda: group_members(run.where) == everybody - 1)
        run.let_flow()
    return f"process {process} slept until the other {everybody - 1} of the group had its partitions"


def move_partitions(run: Run) -> str:
    """Two workers, three, one, two: partitions move in the middle of batches."""
    seen = []
    for number in (3, 1, 2):
        before = run.high_water.records
        run.crew.scale(number)
        run.flow_until(f"{number} workers in the group", _has_members(run, number), folding=True)
        seen.append(f"{number} ({run.high_water.records - before} folded meanwhile)")
    run.let_flow()
    return f"members of the group: {', '.join(seen)}"


def _has_members(run: Run, number: int) -> Callable[[], bool]:
    return lambda: group_members(run.where) == number


def restart_everything(run: Run) -> str:
    """Stop all as an administrator would, and start it again."""
    run.let_flow()
    before = {name: run.servers.process(name) for name in ALL}
    wanted = run.crew.stop()
    run.servers.stop(*ALL)
    run.servers.start(*ALL)
    run.crew.scale(wanted)
    changed = [f"{name} {process} to {run.servers.process(name)}" for name, process in before.items()]
    return f"processes: {', '.join(changed)}, and {wanted} workers"


def deliver_again(run: Run) -> str:
    """Reset the offsets, those of the group and those of the database, and wait until all has come again."""
    wanted = run.crew.stop()
    run.feed()
    before = {partition: position.next_offset for partition, position in folded(run.where).items()}
    # From anywhere, also from the very start: a committed offset of 0 is one that aiokafka ignores.
    share = run.rng.choice((0, run.rng.random()))
    again = {partition: int(share * offset) for partition, offset in before.items()}
    set_group_offsets(run.where, again)
    _on_database(
        run,
        "update stream_offsets set announced_offset = floor(%(share)s * next_offset) where topic = %(topic)s",
        {"share": share, "topic": run.where.topic},
    )
    run.crew.scale(wanted)

    def has_come_again() -> bool:
        acknowledged = group_offsets(run.where)
        return all(acknowledged.get(partition, 0) >= offset for partition, offset in before.items())

    wait_for(
        "all of it acknowledged again",
        PATIENCE_SECONDS,
        has_come_again,
        # Nothing else moves: all of it is folded.
        lambda: group_offsets(run.where),
    )
    run.let_flow()
    return f"{sum(before.values()) - sum(again.values())} folded records came again"


def skip_to_the_end(run: Run) -> str:
    """Kill the workers and move the group to the end: Kafka now says that all is done."""
    wanted = run.crew.kill_all()
    skipped = _skip_to_the_end(run)
    run.crew.scale(wanted)
    must_be(skipped > 0, "the group moved past what is not folded")
    return f"the group moved past {skipped} records that were not folded"


def wipe_database(run: Run) -> str:
    """Lose the database, the group being at the end; then kill a worker while all is folded again."""
    wanted = run.crew.kill_all()
    _skip_to_the_end(run)
    lost = folded_records(run.where)
    run.wipe_database()
    left = folded_records(run.where)
    run.crew.scale(wanted)
    some = int(run.rng.random() * lost)
    run.wait_for(f"{some} records folded again", lambda: folded_records(run.where) > some)
    process = run.crew.kill(run.rng)
    must_be(lost > 0 == left, "what was folded is lost")
    return (
        f"{lost} folded records lost, the group at the end; worker process {process} ended by signal 9 when "
        f"{some} were folded again"
    )


def _skip_to_the_end(run: Run) -> int:
    """Feed without workers, move the group to the end; how many records it should not have skipped."""
    run.feed()
    ends = _ends(run)
    set_group_offsets(run.where, ends)
    return sum(ends.values()) - folded_records(run.where)


def step_clock_back(run: Run) -> str:
    """Let the records' times step back by an hour, as LogAppendTime does when the broker's clock is set."""
    before = {partition: max(0, end - 1) for partition, end in _ends(run).items()}
    answered(lambda: set_topic_config(run.where, "message.timestamp.type", "CreateTime"))
    run.feeder.back_by = _HOUR_MS
    run.flow_until("records whose time steps back", lambda: _stepped_back(run, before) > 0)
    run.feeder.back_by = 0
    answered(lambda: set_topic_config(run.where, "message.timestamp.type", "LogAppendTime"))
    run.let_flow()
    return f"{_stepped_back(run, before)} records bear a time an hour before that of one that precedes them"


def _stepped_back(run: Run, starts: Mapping[int, int]) -> int:
    latest: dict[int, int] = {}
    back = 0
    for record in read_topic(run.where, "case-events", starts):
        latest[record.partition] = max(record.timestamp, latest.get(record.partition, 0))
        back += record.timestamp <= latest[record.partition] - _HOUR_MS // 2
    return back


def cut_the_log(run: Run) -> str:
    """Kill everything and cut what Kafka wrote last, as a power cut does to what was not synced.

    Some partitions lose some kilobytes of their log, and what Kafka had noted about it. The offsets are given
    to new records before a worker looks.
    """
    wanted = run.crew.kill_all()
    seen = _cut(run)
    run.send_more()
    run.crew.scale(wanted)
    return seen


def cut_the_log_unseen(run: Run) -> str:
    """The same while the workers sleep: they go on as if nothing had been, at offsets of new records."""
    run.crew.pause_all()
    seen = _cut(run)
    run.send_more()
    run.crew.resume_all()
    return seen


def make_the_topic_anew(run: Run) -> str:
    """Delete the topic and make it again under its name, while the workers sleep."""
    run.crew.pause_all()
    seen = replace_topic(run)
    run.send_more()
    run.crew.resume_all()
    return seen


def replace_topic(run: Run) -> str:
    """Delete the topic with all that it holds, and make it again."""
    before, lost = _topic_id(run), sum(_ends(run).values())
    wait_for("topic deleted", PATIENCE_SECONDS, lambda: _is_deleted(run))
    topic = load_topics()["case-events"]
    answered(lambda: create_topics(run.where.kafka_bootstrap, [topic], run.where.prefix))
    now = _topic_id(run)
    must_be(before != now, "another topic")
    return f"{lost} records lost with the topic {before}, {now} in its place"


def _is_deleted(run: Run) -> bool:
    with admin(run.where) as client:
        if run.where.topic not in client.list_topics():
            return True
        client.delete_topics([run.where.topic])
        return False


def _topic_id(run: Run) -> str:
    topic_id, _ = answered(lambda: topic_partitions(run.where.kafka_bootstrap, run.where.topic))
    return str(topic_id)


def _ends(run: Run) -> dict[int, int]:
    return answered(lambda: end_offsets_of(run.where))


def _cut(run: Run) -> str:
    run.servers.kill("kafka")
    data = run.servers.layout.kafka / "data"
    partitions = sorted(data.glob(f"{run.where.topic}-*"))
    for folder in run.rng.sample(partitions, len(partitions) // 2):
        _cut_partition(folder, run.rng.randint(500, 5_000))
    run.servers.start("kafka")
    ends = _ends(run)
    ahead = {p: position.next_offset - ends[p] for p, position in folded(run.where).items()}
    lost = [records for records in ahead.values() if records > 0]
    must_be(bool(lost), "the database ahead of the log")
    return f"{sum(lost)} folded records cut off the logs of {len(lost)} partitions"


def _cut_partition(folder: Path, size: int) -> None:
    *_, active = sorted(folder.glob("*.log"))
    os.truncate(active, max(0, active.stat().st_size - size))
    for path in (active.with_suffix(".index"), active.with_suffix(".timeindex"), *folder.glob("*.snapshot")):
        path.unlink(missing_ok=True)


def _on_database(run: Run, statement: LiteralString, params: Mapping[str, object]) -> None:
    with psycopg.connect(run.where.database_url) as connection:
        connection.execute(statement, params)


def must_be(is_so: bool, what: str) -> None:
    """Refuse to go on after a fault that did not happen."""
    if not is_so:
        raise RuntimeError(f"the fault did not happen: {what}")
