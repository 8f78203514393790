"""`python -m tests.faults.sabotaged_worker`: a worker with what FAULT_SABOTAGE names, joined by commas.

Mistakes are what a builder might do, and the suite must find each of them. Mishaps happen once, at a moment
that outside faults seldom hit; a worker without a mistake must get over them.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from operator import add
from pathlib import Path
from typing import Any, NoReturn

import faust
from psycopg import Cursor
from psycopg.rows import TupleRow

from services import worker
from streams.agents import fold_cases as agent
from streams.domain.counts import ZERO
from streams.domain.errors import DependencyDown
from streams.domain.positions import Touched
from streams.handlers.fold_cases import Batch, Committed, DeadLetter, Entry, FoldCases, Record, View
from streams.stores import ledger as store
from streams.stores import tables
from streams.stores.broker import KafkaAnnouncements
from streams.stores.ledger import PostgresLedger, save_positions
from tests.faults.crew import ANNOUNCES, HANGS, happened

# Which batch of the first worker a mishap hits: some are folded and acknowledged before.
_UNLUCKY_BATCH = 4


def _put(owner: object, name: str, replacement: object) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name} any more: this sabotage would change nothing")
    setattr(owner, name, replacement)


# Mistakes ------------------------------------------------------------------------------------------


def trust_the_group() -> None:
    """Read on from where the group says, and take every record for the next one: no mistake by itself."""

    async def seek(*_: object) -> None:
        return

    async def handle(self: FoldCases, records: Sequence[Record]) -> int:
        firsts: dict[int, int] = {}
        for record in records:
            firsts.setdefault(record.partition, record.offset)
        ledger: Any = self._ledger
        stored = await ledger.positions(firsts)
        moved = {
            partition: replace(stored[partition], next_offset=offset, announced_offset=offset)
            for partition, offset in firsts.items()
        }
        await ledger.replace_positions({partition: stored[partition] for partition in moved}, moved)
        self.forget()
        return await original(self, records)

    original = FoldCases.handle
    _put(agent, "_seek", seek)
    _put(agent, "_check_gapless", lambda *_: None)
    _put(FoldCases, "handle", handle)


def acknowledge_before_the_commit() -> None:
    """Let the agent acknowledge a batch that is still being folded; the group's offsets are trusted."""
    trust_the_group()
    original = FoldCases.handle
    in_order = asyncio.Lock()
    tasks = set()

    async def handle(self: FoldCases, records: Sequence[Record]) -> int:
        async def fold() -> None:
            async with in_order:
                while True:
                    try:
                        await original(self, records)
                    except DependencyDown:
                        await asyncio.sleep(0.2)
                    else:
                        return

        tasks.add(asyncio.create_task(fold()))
        return 0

    _put(FoldCases, "handle", handle)


def take_and_raise() -> None:
    """`take` instead of `noack_take`, exceptions leave the agent, and the group's offsets are trusted."""

    def raise_it(reason: str, code: int = 0) -> NoReturn:
        raise RuntimeError(reason)

    trust_the_group()
    _put(agent, "end_process", raise_it)
    _put(faust.Stream, "noack", lambda self: self)
    _put(faust.Stream, "noack_take", faust.Stream.take_events)


def forget_identities() -> None:
    """Work without the identity table: whatever comes is new."""

    def claim(cursor: Cursor[TupleRow], entries: list[Entry]) -> tuple[list[Entry], list[DeadLetter]]:
        # Else the key of this table would stop the worker at the first repeat of a parked event.
        cursor.execute("alter table parked_events drop constraint if exists parked_events_pkey")
        return list(entries), []

    _put(store, "_claim", claim)


def net_the_ledger() -> None:
    """Write what a batch did to a case, not what each event did."""
    original = tables.write_ledger

    def write_ledger(cursor: Cursor[TupleRow], rows: Iterable[tables.LedgerRow]) -> None:
        netted: dict[Any, tables.LedgerRow] = {}
        for subject, cause, change in rows:
            _, _, before = netted.get((subject, change.key), (subject, cause, change._replace(amounts=ZERO)))
            amounts = tuple(map(add, before.amounts, change.amounts))
            netted[(subject, change.key)] = (subject, cause, change._replace(amounts=amounts))
        original(cursor, [row for row in netted.values() if row[2].amounts != ZERO])

    _put(tables, "write_ledger", write_ledger)


def store_positions_first() -> None:
    """Store the new positions in a transaction before that of the fold."""
    original = PostgresLedger._commit

    def commit(self: PostgresLedger, view: View, batch: Batch) -> Committed:
        with self._session.transaction() as connection, connection.cursor() as cursor:
            save_positions(cursor, self._topic, batch.positions)
        return original(self, View(view.catalogue, {**view.positions, **batch.positions}), batch)

    _put(PostgresLedger, "_commit", commit)


def stay_silent_when_known() -> None:
    """Announce nothing for records that are folded already."""

    async def replayed(_: PostgresLedger, __: Mapping[int, tuple[int, int]]) -> Committed:
        return Committed(frozenset(), ())

    _put(PostgresLedger, "replayed", replayed)


# Mishaps -------------------------------------------------------------------------------------------


class _Calls:
    """Counts calls and names one of them, in the life of all workers together, as the moment."""

    def __init__(self) -> None:
        self._number = 0

    def is_time(self, mishap: str) -> bool:
        self._number += 1
        if self._number < _UNLUCKY_BATCH:
            return False
        try:
            happened(Path(os.environ["CANHDICH_DATA_DIRECTORY"]), mishap).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def fail_in_the_handler() -> None:
    """Something unexpected is raised while a batch is handled."""
    original, calls = FoldCases.handle, _Calls()

    @wraps(original)
    async def handle(self: FoldCases, records: Sequence[Record]) -> int:
        if calls.is_time("fail"):
            raise RuntimeError("a mishap of the fault suite")
        return await original(self, records)

    _put(FoldCases, "handle", handle)


def die_in_the_commit() -> None:
    """kill -9 in the middle of a transaction."""
    _in_the_commit("commit", lambda: os.kill(os.getpid(), signal.SIGKILL))


def hang_in_the_commit() -> None:
    """The database stops answering in the middle of a transaction, while Kafka goes on; until killed."""
    _in_the_commit(HANGS, lambda: time.sleep(3_600))


def _in_the_commit(mishap: str, happen: Callable[[], None]) -> None:
    original, calls = tables.write_ledger, _Calls()

    def write_ledger(cursor: Cursor[TupleRow], rows: Iterable[tables.LedgerRow]) -> None:
        original(cursor, rows)
        if calls.is_time(mishap):
            happen()

    _put(tables, "write_ledger", write_ledger)


def die_before_announcing() -> None:
    """kill -9 between the commit and the announcements."""
    original, calls = KafkaAnnouncements.publish, _Calls()

    async def publish(self: KafkaAnnouncements, touched: Iterable[Touched]) -> None:
        if calls.is_time(ANNOUNCES):
            os.kill(os.getpid(), signal.SIGKILL)
        await original(self, touched)

    _put(KafkaAnnouncements, "publish", publish)


KNOWN: dict[str, Callable[[], None]] = {
    done.__name__: done
    for done in (
        trust_the_group,
        acknowledge_before_the_commit,
        take_and_raise,
        forget_identities,
        net_the_ledger,
        store_positions_first,
        stay_silent_when_known,
        fail_in_the_handler,
        die_in_the_commit,
        hang_in_the_commit,
        die_before_announcing,
    )
}


def main() -> int:
    """Put in what is named, then be a worker."""
    for name in os.environ["FAULT_SABOTAGE"].split(","):
        KNOWN[name]()
    return worker.main()


if __name__ == "__main__":
    sys.exit(main())
