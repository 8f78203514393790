"""Every check finds nothing wrong in what a sound fold wrote, and finds what is changed in it afterwards."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.catalogue import Catalogue
from schemas.topics.partitioner import partition_for
from streams.domain.positions import Position
from streams.handlers.fold_cases import FoldCases, Record
from streams.handlers.reconcile import NEVER
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from tests.fakes import RecordingAnnouncements, run
from tests.faults import checks
from tests.faults.book import Book
from tests.faults.checks import Finding, Journaled, Place
from tests.faults.expected import expected
from tests.truth import truth

pytestmark = pytest.mark.native

PARTITIONS = 3
TOPIC = "case-events"
START = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=7)


@dataclass(frozen=True, slots=True)
class Folded:
    """A database into which a book was folded, without Kafka."""

    book: Book
    connection: Connection[TupleRow]
    journal: Sequence[Journaled]
    due: dict[Place, str]

    def all_checks(self) -> list[Finding]:
        """Those that need no Kafka, on the tables as they are."""
        journal = list(checks.read_journal(self.connection))
        wanted = expected(checks.arrivals_of(journal, self.book), self.book.catalogue)
        return [
            *checks.check_journal(journal, self.book),
            *checks.check_known_at(journal),
            *checks.check_counts(self.connection, truth(self.book.events, self.book.catalogue)),
            *checks.check_ledger(self.connection, wanted, journal),
        ]


@pytest.fixture(scope="module")
def folded(database_url: str, published_catalogue: Catalogue) -> Iterator[Folded]:
    book = Book(published_catalogue, random.Random(5), PARTITIONS, 50)
    records: list[Record] = []
    due = {}
    ends = dict.fromkeys(range(PARTITIONS), 0)
    for item in (item for chunk in next(book.chapters([1_500])) for item in chunk):
        partition = item.partition
        if partition is None:
            partition = 0 if item.key is None else partition_for(item.key, PARTITIONS)
        at = START + timedelta(milliseconds=len(records))
        records.append(Record(partition, ends[partition], at, item.key, item.value))
        if item.value in book.dead:
            due[Place(partition, 0, ends[partition])] = book.dead[item.value]
        ends[partition] += 1
    ledger = PostgresLedger(database_url, TOPIC)
    start = {p: Position(NOBODY, 0, 0, 0, NEVER, None) for p in range(PARTITIONS)}
    assert run(ledger.replace_positions(dict.fromkeys(start), start))
    handler = FoldCases(ledger, RecordingAnnouncements(), PARTITIONS)
    for place in range(0, len(records), 100):
        run(handler.handle(records[place : place + 100]))
    ledger.close()
    with connect(database_url) as connection:
        yield Folded(book, connection, list(checks.read_journal(connection)), due)


def test_a_sound_fold_is_found_sound(folded: Folded) -> None:
    assert folded.all_checks() == []
    assert checks.check_audit(folded.connection) == []
    table = [
        (Place(*place), error)
        for *place, error in folded.connection.execute(
            "select kafka_partition, epoch, kafka_offset, error from dead_letters"
        )
    ]
    published = {(place.partition, place.offset, error) for place, error in table}
    assert checks.compare_dead_letters(folded.due, table, published) == []
    assert set(folded.due.values()) == {"invalid_event", "misplaced_record", "identity_conflict"}
    versions = folded.connection.execute(
        "select record_value, standing_value from dead_letters where error = 'identity_conflict'"
    ).fetchall()
    assert len(versions) == folded.book.written["same identity, other content"] > 5
    assert checks.compare_versions(folded.book, versions) == []


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        ("journal", "delete from case_events where subject = (select min(subject) from case_events)"),
        ("journal", "insert into case_events select * from case_events limit 1"),
        (
            "journal",
            "update event_ids set content_hash = '' where subject = (select min(subject) from event_ids)",
        ),
        (
            "known_at",
            "update case_events set known_at = known_at - interval '1 hour' where kafka_offset = 100",
        ),
        ("daily", "update daily_counts set deaths = deaths + 1 where basis = 'death' and agent = ''"),
        ("daily", "delete from daily_counts where via <> ''"),
        ("daily", "update daily_counts set positive = positive + 1 where agent <> ''"),
        ("totals", "update district_totals set notified = notified - 1 where basis = 'report'"),
        ("totals", "delete from district_totals where year is null"),
        ("ledger", "delete from count_changes where subject = (select min(subject) from count_changes)"),
        ("ledger", "insert into count_changes select * from count_changes limit 1"),
        ("ledger", "update count_changes set known_at = known_at + interval '1 microsecond'"),
        ("cases", "update cases set counted_onset_day = counted_onset_day - 1"),
        ("cases", "update cases set counted_disease = null"),
    ],
)
def test_what_is_changed_afterwards_is_found(folded: Folded, check: str, statement: LiteralString) -> None:
    with folded.connection.transaction(force_rollback=True):
        assert folded.connection.execute(statement).rowcount > 0
        assert check in {finding.check for finding in folded.all_checks()}


def test_drift_that_the_audit_sees_is_found(folded: Folded) -> None:
    change = "update district_totals set notified = notified + %s where basis = 'onset'"
    folded.connection.execute(change, (1,))
    try:
        assert [finding.check for finding in checks.check_audit(folded.connection)] == ["audit"]
    finally:
        folded.connection.execute(change, (-1,))


def test_an_event_that_nobody_sent_is_found(folded: Folded) -> None:
    stranger = folded.journal[0]._replace(event_id=NOBODY)
    found = checks.check_journal([*folded.journal, stranger], folded.book)
    assert "nobody sent" in found[0].text


@pytest.mark.parametrize(
    ("table", "published", "text"),
    [
        ([], {(1, 5, "invalid_event")}, "missing"),
        ([(Place(1, 0, 5), "invalid_event")] * 2, {(1, 5, "invalid_event")}, "twice"),
        ([(Place(1, 0, 5), "misplaced_record")], {(1, 5, "misplaced_record")}, "another reason"),
        ([(Place(1, 0, 5), "invalid_event")], {(1, 6, "invalid_event")}, "not in the topic"),
        (
            [(Place(1, 0, 5), "invalid_event"), (Place(1, 0, 6), "invalid_event")],
            {(1, 5, "invalid_event"), (1, 6, "invalid_event")},
            "too many",
        ),
    ],
)
def test_dead_letters_that_are_wrong_are_found(
    table: list[tuple[Place, str]], published: set[tuple[int, int, str]], text: str
) -> None:
    (finding,) = checks.compare_dead_letters({Place(1, 0, 5): "invalid_event"}, table, published)
    assert text in finding.text


def test_a_conflict_without_both_versions_is_found(folded: Folded) -> None:
    sent, standing = next(iter(folded.book.conflicts.items()))
    assert checks.compare_versions(folded.book, [(sent, standing)]) == []
    for wrong in ((sent, None), (sent, b""), (sent, sent), (standing, standing)):
        (finding,) = checks.compare_versions(folded.book, [wrong])
        assert "both versions" in finding.text


def test_counts_that_moved_after_they_were_announced_are_found() -> None:
    key = ("dengue", "03412@start")
    assert checks.compare_announced({key: START}, {key: START}) == []
    assert checks.compare_announced({key: START}, {})
    assert checks.compare_announced({key: START}, {key: START - timedelta(milliseconds=1)})
