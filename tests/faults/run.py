"""One run: servers, workers, records, and the dice that decide when what happens."""

import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
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
from tests.faults.stream import HighWater, Where, admin, wait_for, wait_until_folded


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

    @property
    def patience_seconds(self) -> float:
        """How long all of it may take to be folded before it counts as stuck."""
        return 60 + self.events / 500


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

    def say(self, text: str) -> None:
        """A line of progress."""
        seconds = int(time.monotonic() - self.started)
        folded = f"{self.high_water.records:,} folded"
        print(f"[{seconds // 60}:{seconds % 60:02d}] {folded}: {text}", file=sys.stderr, flush=True)

    def let_fold(self, records: int, seconds: float = 5) -> None:
        """Wait until so many more are folded; not for ever, as fewer may be left."""
        with suppress(TimeoutError):
            self.wait_for_folded(self.high_water.records + records, seconds)

    def wait_for_folded(self, records: int, seconds: float | None = None) -> None:
        """Wait until so many records are folded."""
        seconds = seconds or self.size.patience_seconds
        wait_for(f"{records:,} records folded", seconds, lambda: self.high_water.records >= records)

    def write_chapters(self, sizes: Sequence[int], afterthoughts: int) -> None:
        """Begin the book: chapters of so many events, then short ones that need no worker to be sent."""
        short = 2 * self.size.batch_records
        sizes = [*sizes, *[short] * afterthoughts]
        self.chapters = self.book.chapters(sizes)

    def wait_until_folded(self) -> None:
        """Wait until the database is where Kafka ends."""
        wait_until_folded(self.where, self.size.patience_seconds)

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
    create_topics(where.kafka_bootstrap, topics.values(), where.prefix)
    high_water = HighWater(where)
    high_water.start()
    chunk_records = max(50, size.batch_records // 2)
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
    with connect(servers.owner_url) as connection:
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
    """Run a statement that wants a database for itself; TimescaleDB's own workers come back now and then."""

    def is_done() -> bool:
        with psycopg.connect(servers.superuser_url, autocommit=True) as connection:
            connection.execute("set statement_timeout = '5s'")
            if disconnected is not None:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                    (disconnected,),
                )
            connection.execute(statement)
        return True

    wait_for(statement.as_string(), 60, is_done)
