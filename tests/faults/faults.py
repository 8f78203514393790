"""What can happen: each fault a function of a run, none of them gentle."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from schemas.topics import load_topics
from streams.stores.broker import create_topics
from tests.faults.crew import SESSION_SECONDS
from tests.faults.run import Run
from tests.faults.servers import ALL
from tests.faults.stream import (
    admin,
    end_offsets_of,
    folded_records,
    group_offsets,
    set_group_offsets,
    set_topic_config,
    wait_for,
)

Fault = Callable[[Run], None]
_HOUR_MS = 3_600_000
# How often a worker tells Kafka's group how far it is.
COMMIT_SECONDS = 2.0


def kill_worker(run: Run) -> None:
    """kill -9 a worker."""
    run.crew.kill(run.rng)


def kill_broker(run: Run) -> None:
    """kill -9 Kafka."""
    run.servers.kill("kafka")
    run.servers.start("kafka")


def kill_database(run: Run) -> None:
    """kill -9 TimescaleDB."""
    run.servers.kill("timescale")
    run.servers.start("timescale")


def stop_database(run: Run) -> None:
    """Shut TimescaleDB down for a while."""
    run.servers.stop("timescale")
    time.sleep(run.size.outage_seconds)
    run.servers.start("timescale")


def kill_hanging_worker(run: Run) -> None:
    """kill -9 a worker that hangs in a transaction, when it has had time to acknowledge what it holds."""
    with suppress(TimeoutError):
        wait_for(
            "the group past what is folded",
            4 * COMMIT_SECONDS,
            lambda: sum(group_offsets(run.where).values()) > run.high_water.records,
        )
    run.crew.scale(run.crew.kill_all())


def pause_worker(run: Run) -> None:
    """Stop a worker for longer than its session lasts: it wakes up with a batch that is another's by now."""
    run.crew.pause(run.rng, SESSION_SECONDS + 3)


def move_partitions(run: Run) -> None:
    """Two workers, three, one, two: partitions move in the middle of batches."""
    for number in (3, 1, 2):
        run.crew.scale(number)
        run.let_fold(2 * run.size.batch_records)


def restart_everything(run: Run) -> None:
    """Stop all as an administrator would, and start it again."""
    wanted = run.crew.stop()
    run.servers.stop(*ALL)
    run.servers.start(*ALL)
    run.crew.scale(wanted)


def deliver_again(run: Run) -> None:
    """Move the group back to the start while no worker runs."""
    wanted = run.crew.stop()
    set_group_offsets(run.where, dict.fromkeys(end_offsets_of(run.where), 0))
    run.crew.scale(wanted)


def skip_to_the_end(run: Run) -> None:
    """Kill the workers and move the group to the end: Kafka now says that all is done."""
    wanted = run.crew.kill_all()
    set_group_offsets(run.where, end_offsets_of(run.where))
    run.crew.scale(wanted)


def wipe_database(run: Run) -> None:
    """Lose the database, the group being at the end; then kill a worker while all is folded again."""
    wanted = run.crew.kill_all()
    set_group_offsets(run.where, end_offsets_of(run.where))
    run.wipe_database()
    run.crew.scale(wanted)
    share = run.rng.random()
    wait_for(
        "some of it folded again",
        run.size.patience_seconds,
        lambda: folded_records(run.where) > share * run.high_water.records,
    )
    run.crew.kill(run.rng)


def step_clock_back(run: Run) -> None:
    """Let the records' times step back by an hour, as LogAppendTime does when the broker's clock is set."""
    set_topic_config(run.where, "message.timestamp.type", "CreateTime")
    run.feeder.back_by = _HOUR_MS
    run.let_fold(2 * run.size.batch_records)
    run.feeder.back_by = 0
    set_topic_config(run.where, "message.timestamp.type", "LogAppendTime")


def cut_the_log(run: Run) -> None:
    """Kill everything and cut what Kafka wrote last, as a power cut does to what was not synced.

    Some partitions lose some kilobytes of their log, and what Kafka had noted about it. The offsets are given
    to new records before a worker looks.
    """
    wanted = run.crew.kill_all()
    _cut(run)
    run.send_more()
    run.crew.scale(wanted)


def cut_the_log_unseen(run: Run) -> None:
    """The same while the workers sleep: they go on as if nothing had been, at offsets of new records."""
    run.crew.pause_all()
    _cut(run)
    run.send_more()
    run.crew.resume_all()


def make_the_topic_anew(run: Run) -> None:
    """Delete the topic and make it again under its name, while the workers sleep."""
    run.crew.pause_all()
    replace_topic(run)
    run.send_more()
    run.crew.resume_all()


def replace_topic(run: Run) -> None:
    """Delete the topic with all that it holds, and make it again."""
    with admin(run.where) as client:
        client.delete_topics([run.where.topic])
    wait_for("topic deleted", 60, lambda: not _exists(run))
    create_topics(run.where.kafka_bootstrap, [load_topics()["case-events"]], run.where.prefix)


def _exists(run: Run) -> bool:
    with admin(run.where) as client:
        return run.where.topic in client.list_topics()


def _cut(run: Run) -> None:
    run.servers.kill("kafka")
    data = run.servers.layout.kafka / "data"
    partitions = sorted(data.glob(f"{run.where.topic}-*"))
    for folder in run.rng.sample(partitions, len(partitions) // 2):
        _cut_partition(folder, run.rng.randint(500, 5_000))
    run.servers.start("kafka")


def _cut_partition(folder: Path, size: int) -> None:
    *_, active = sorted(folder.glob("*.log"))
    os.truncate(active, max(0, active.stat().st_size - size))
    for path in (active.with_suffix(".index"), active.with_suffix(".timeindex"), *folder.glob("*.snapshot")):
        path.unlink(missing_ok=True)
