"""One run: servers, workers, records, and the dice that decide when what happens."""

import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from kafka.errors import KafkaError
from psycopg import sql

from schemas.catalogue import Catalogue
from schemas.sql import MIGRATIONS
from schemas.topics import load_topics
from streams.stores import catalogue as catalogue_store
from streams.stores.broker import create_topics
from streams.stores.database import connect, migrate
from tests.faults.book import Book, Chunk
from tests.faults.crew import Crew
from tests.faults.feeder import Feeder
from tests.faults.servers import Servers
from tests.faults.stream import (
    PATIENCE_SECONDS,
    HighWater,
    Where,
    admin,
    answered,
    folded,
    wait_for,
    wait_until_folded,
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything.

    Attributes:
        events: Events in all; records are about a sixth more.
        rounds: How often every fault happens.
        batch_records: Most records of a worker's transaction.
        outage_seconds: How long the database is stopped.
    """

    events: int
    rounds: int
    batch_records: int
    outage_seconds: float


class Happened(NamedTuple):
    """A fault, how many records were folded when it began and when it was over, and what was seen of it."""

    fault: str
    folded_before: int
    folded_after: int
    seen: str


@dataclass
class Run:
    """What a fault can lay hands on.

    `schedule` decides what happens and when, `rng` what a fault hits: how often that one is thrown depends on
    which processes happen to run, and must not change the schedule of a seed.
    """

    servers: Servers
    where: Where
    template: str
    size: Size
    schedule: random.Random
    rng: random.Random
    book: Book
    feeder: Feeder
    crew: Crew
    high_water: HighWater
    started: float
    chapters: Iterator[list[Chunk]] = field(default_factory=lambda: iter(()))
    happened: list[Happened] = field(default_factory=list)
    # How many records are sent when the present part, and the chapter, are over.
    _part_end: float = 0
    _chapter_end: int = 0

    def say(self, text: str) -> None:
        """A line of progress."""
        seconds = int(time.monotonic() - self.started)
        folded = f"{self.high_water.records:,} folded"
        print(f"[{seconds // 60}:{seconds % 60:02d}] {folded}: {text}", file=sys.stderr, flush=True)

    def wait_for(self, what: str, is_so: Callable[[], bool], every: float = 0.2) -> None:
        """Wait until something is so, as long as anything goes on at all.

        Raises:
            TimeoutError: nothing goes on any more.
        """
        wait_for(what, PATIENCE_SECONDS, is_so, lambda: (self.feeder.sent, folded(self.where)), every)

    def begin_chapter(self, chunks: Sequence[Chunk]) -> None:
        """Get ready to send chunks, in parts."""
        self.feeder.allowed = self._part_end = self.feeder.sent
        self._chapter_end = self.feeder.sent + sum(map(len, chunks))
        self.feeder.start(chunks)

    def begin_part(self, share: float, lead_in: float, moment: float) -> None:
        """Let the next records flow in two goes, the first of which is on its way afterwards.

        Args:
            share: Of what is left of the chapter, both goes together.
            lead_in: The share of the first go.
            moment: What share of the first go, with all that waits before it, is folded when this returns.
        """
        begin = self.feeder.sent
        records = share * (self._chapter_end - begin)
        self.feeder.allowed = begin + lead_in * records
        self._part_end = begin + records
        to_come = self.feeder.allowed - self.high_water.records
        due = self.high_water.records + int(moment * to_come)
        self.wait_for(f"{due:,} records folded", lambda: self.high_water.records >= due, every=0.02)

    def let_flow(self) -> None:
        """Let the second go of the present part flow, from now on."""
        self.feeder.allowed = max(self.feeder.allowed, self._part_end)

    def feed(self) -> None:
        """Send what is left of the present part, or as much as can wait to be folded."""
        self.let_flow()
        self.wait_for("the feeder", lambda: self.feeder.is_held, every=0.02)

    def flow_until(self, what: str, is_so: Callable[[], bool], *, folding: bool = False) -> None:
        """Wait until something is so while records come chunk by chunk, lest all are folded before.

        Those of the next parts, too, where it lasts; half of them are kept.

        Args:
            what: It, in words.
            is_so: Tells.
            folding: Some must be folded meanwhile, unless none are left.
        """
        end = (self._part_end + self._chapter_end) / 2
        before = self.high_water.records

        def is_so_by_now() -> bool:
            has_folded = self.high_water.records > before or self.feeder.sent >= end
            if (has_folded or not folding) and is_so():
                return True
            if self.feeder.is_held:
                self.feeder.allowed = min(self.feeder.sent + 1, end)
            return False

        self.wait_for(what, is_so_by_now)

    def write_chapters(self, sizes: Sequence[int], afterthoughts: int) -> None:
        """Begin the book: chapters of so many events, then short ones that need no worker to be sent."""
        short = 2 * self.size.batch_records
        sizes = [*sizes, *[short] * afterthoughts]
        self.chapters = self.book.chapters(sizes)

    def wait_until_folded(self) -> None:
        """Wait until the database is where Kafka ends."""
        wait_until_folded(self.where)

    def send_more(self) -> None:
        """Send the book's next chapter."""
        self.feeder.send(next(self.chapters))

    def wipe_database(self) -> None:
        """Drop the database and make it anew, empty but for schema and catalogue; the workers stay."""
        _drop_database(self.servers, self.where)
        _create_database(self.servers, self.where, self.template)


@contextmanager
def prepared(
    servers: Servers,
    catalogue: Catalogue,
    seed: int,
    size: Size,
    folder: Path,
    extra: Mapping[str, str],
) -> Iterator[Run]:
    """A run on a database and topics of its own, no worker yet; everything is gone afterwards."""
    name = f"faults_run_{uuid4().hex[:12]}"
    where = Where(servers.kafka_bootstrap, _url_of(servers, name), f"faults-{uuid4().hex[:8]}-")
    template = _template(servers, catalogue)
    _create_database(servers, where, template)
    topics = load_topics()
    answered(lambda: create_topics(where.kafka_bootstrap, topics.values(), where.prefix))
    high_water = HighWater(where)
    high_water.start()
    chunk_records = max(10, size.batch_records // 2)
    feeder = Feeder(where, lead=10 * size.batch_records, folded=lambda: high_water.records)
    crew = Crew(where, folder, size.batch_records, extra)
    try:
        book = Book(catalogue, random.Random(f"{seed} book"), topics["case-events"].partitions, chunk_records)
        dice = random.Random(f"{seed} schedule"), random.Random(f"{seed} victims")
        yield Run(servers, where, template, size, *dice, book, feeder, crew, high_water, time.monotonic())
    finally:
        crew.close()
        feeder.close()
        high_water.end()
        with suppress(psycopg.Error):
            _drop_database(servers, where)
        with suppress(KafkaError), admin(where) as client:
            client.delete_topics([where.prefix + topic for topic in topics])


def _name_of(where: Where) -> sql.Identifier:
    return sql.Identifier(urlsplit(where.database_url).path.lstrip("/"))


_TEMPLATE_LOCK = 5_313


def _template(servers: Servers, catalogue: Catalogue) -> str:
    """The name of a database with schema and catalogue to copy; made where it is not there yet."""
    schema = b"".join(path.read_bytes() for path in sorted(MIGRATIONS.glob("*.sql")))
    name = f"faults_{sha256(schema + catalogue.version.encode()).hexdigest()[:12]}"
    with answered(lambda: connect(servers.owner_url)) as connection:
        # Several runs may begin at the same time on the same servers.
        connection.execute("select pg_advisory_lock(%s)", (_TEMPLATE_LOCK,))
        if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            return name
        part = f"{name}_{uuid4().hex[:8]}"
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(part)))
        url = _url_of(servers, part)
        migrate(url)
        with connect(url) as loading:
            catalogue_store.load(loading, catalogue, "tests/faults")
        rename = sql.SQL("alter database {} rename to {}").format(sql.Identifier(part), sql.Identifier(name))
        _as_superuser(servers, rename, disconnected=part)
    return name


def _url_of(servers: Servers, database: str) -> str:
    return urlunsplit(urlsplit(servers.owner_url)._replace(path=f"/{database}"))


def _create_database(servers: Servers, where: Where, template: str) -> None:
    statement = sql.SQL("create database {} template {} owner canhdich")
    _as_superuser(servers, statement.format(_name_of(where), sql.Identifier(template)), disconnected=template)


def _drop_database(servers: Servers, where: Where) -> None:
    _as_superuser(servers, sql.SQL("drop database {} with (force)").format(_name_of(where)))


def _as_superuser(servers: Servers, statement: sql.Composed, disconnected: str | None = None) -> None:
    """Run a statement that wants a database for itself; TimescaleDB's own workers come back now and then.

    One that is just starting waits for the statement, which waits for it: it is given up early, less and
    less so for the sake of a busy machine.
    """
    seconds = 2

    def is_done() -> bool:
        nonlocal seconds
        seconds *= 2
        with psycopg.connect(servers.superuser_url, autocommit=True) as connection:
            connection.execute("select set_config('statement_timeout', %s, false)", (f"{seconds}s",))
            if disconnected is not None:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                    (disconnected,),
                )
            connection.execute(statement)
        return True

    wait_for(statement.as_string(), PATIENCE_SECONDS, is_done)
