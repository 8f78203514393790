"""Every promise, looked at from outside when all is folded. A finding says which check failed and how."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, get_args
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.events import STREAM_MAX_AHEAD, parse_event
from streams.domain.counts import Basis
from streams.stores.audit import audit
from streams.stores.counts import CountsRequest, read_counts
from streams.stores.database import connect
from tests.faults.book import CONFLICT, Book
from tests.faults.expected import Counters, CountKey, Expected, LedgerRow, expected
from tests.faults.stream import Where, answered, folded, read_topic
from tests.truth import Truth, truth

COUNTERS = (
    *("notified", "suspected", "probable", "confirmed", "discarded", "positive", "negative", "pending"),
    *("deaths", "imported", "hospitalised"),
)
_EXAMPLES = 3


class Finding(NamedTuple):
    """One broken promise."""

    check: str
    text: str


class Place(NamedTuple):
    """Where a record stood in the log."""

    partition: int
    epoch: int
    offset: int


@dataclass
class Witness:
    """Remembers what Kafka's log has held, for some of it is taken away.

    Attributes:
        dead: Where each record stood that is no event, and why it is none. A record that the feeder sent
            twice, because it was not told of the first, stands at two places.
        seen: Every value that the log has held.
    """

    dead: dict[Place, str] = field(default_factory=dict)
    seen: set[bytes | None] = field(default_factory=set)

    def look(self, where: Where, book: Book) -> None:
        """Read the topic from its start; what is not folded yet is left for the next look."""
        positions = folded(where)
        for record in read_topic(where, "case-events"):
            position = positions[record.partition]
            if record.offset >= position.next_offset:
                continue
            self.seen.add(record.value)
            error = book.dead.get(record.value)
            if error is not None:
                self.dead[Place(record.partition, position.epoch, record.offset)] = error


def verify(where: Where, book: Book, witness: Witness) -> list[Finding]:
    """Compare everything with the book; all must be folded, and the workers should stand still."""
    unsent = (set(book.events) | book.dead.keys()) - witness.seen
    if unsent:
        raise RuntimeError(f"{len(unsent)} records of the book never were in Kafka: the feeder is at fault")
    findings: list[Finding] = []
    with answered(lambda: connect(where.database_url)) as connection:
        journal = list(read_journal(connection))
        findings += check_journal(journal, book)
        findings += check_known_at(journal)
        known = truth(book.events, book.catalogue)
        findings += check_counts(connection, known)
        order = arrivals_of(journal, book)
        findings += check_ledger(connection, expected(order, book.catalogue), journal)
        findings += check_audit(connection)
        findings += check_dead_letters(connection, where, witness.dead, book)
        findings += check_announced(connection, where)
    return findings


class Journaled(NamedTuple):
    """One row of the journal, in the order (partition, epoch, offset)."""

    partition: int
    epoch: int
    offset: int
    known_at: datetime
    subject: str
    event_id: UUID
    content_hash: bytes | None


def read_journal(connection: Connection[TupleRow]) -> Iterator[Journaled]:
    """The journal in the order in which it grew, partition by partition."""
    rows = connection.execute(
        "select ce.kafka_partition, ce.epoch, ce.kafka_offset, ce.known_at, ce.subject, ce.event_id, "
        "ei.content_hash from case_events as ce left join event_ids as ei using (subject, event_id) "
        "order by ce.kafka_partition, ce.epoch, ce.kafka_offset"
    )
    for row in rows:
        yield Journaled(*row)


def _hashes(book: Book) -> dict[tuple[str, UUID], bytes]:
    now = datetime.now(UTC)
    events = (parse_event(raw, now=now, max_ahead=STREAM_MAX_AHEAD) for raw in book.events)
    return {(event.subject, event.id): event.content_hash for event in events}


def arrivals_of(journal: Iterable[Journaled], book: Book) -> Iterator[bytes]:
    """The book's events in the order of the journal."""
    raws = {}
    for raw in book.events:
        event = json.loads(raw)
        raws[(event["subject"], UUID(event["id"]))] = raw
    # Rows that are not in the book are check_journal's business.
    return (raws[(j.subject, j.event_id)] for j in journal if (j.subject, j.event_id) in raws)


def check_journal(journal: Iterable[Journaled], book: Book) -> list[Finding]:
    """Every event of the book exactly once, with the content that came first, and nothing else."""
    hashes = _hashes(book)
    found = Counter((row.subject, row.event_id) for row in journal)
    standing = {(row.subject, row.event_id): row.content_hash for row in journal}
    return [
        *_finding("journal", "events missing", hashes.keys() - found.keys()),
        *_finding("journal", "events that nobody sent", found.keys() - hashes.keys()),
        *_finding("journal", "events more than once", [who for who, times in found.items() if times > 1]),
        *_finding(
            "journal",
            "events with another content than the first",
            [who for who in found.keys() & hashes.keys() if standing[who] != hashes[who]],
        ),
    ]


def check_known_at(journal: Iterable[Journaled]) -> list[Finding]:
    """Within a partition, known_at never steps back."""
    latest: dict[int, datetime] = {}
    back = []
    for row in journal:
        if row.known_at < latest.get(row.partition, row.known_at):
            back.append((row.partition, row.epoch, row.offset))
        latest[row.partition] = row.known_at
    return _finding("known_at", "events known before an earlier one", back)


def check_counts(connection: Connection[TupleRow], known: Truth) -> list[Finding]:
    """Counts by disease, province, district and year, and the district totals, on every basis."""
    findings = []
    totals = _totals(connection)
    for basis in get_args(Basis):
        wanted: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for counts in (known.counts, known.resolved):
            for key, counters in counts.items():
                if key.basis == basis:
                    wanted[(key.disease, key.province, key.district, key.year)].update(counters)
        request = CountsRequest(("disease", "province", "district", "year"), date(2024, 12, 31), basis=basis)
        rows = {
            (row["disease"], row["province"], row["district"], row["year"]): Counter(
                {name: row[name] for name in COUNTERS if row[name]}
            )
            for row in read_counts(connection, request)
        }
        findings += _finding("counts", f"counts by {basis} are wrong", _differing(wanted, rows))
        by_district: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for (disease, province, district, year), counters in wanted.items():
            by_district[(disease, district or province, year)].update(counters)
        findings += _finding(
            "totals", f"district totals by {basis} are wrong", _differing(by_district, totals[basis])
        )
    return findings


def _totals(connection: Connection[TupleRow]) -> dict[str, dict[tuple[Any, ...], Counter[str]]]:
    """District totals by basis; a resolved disease's own and "of which" together, as in the counts."""
    totals: dict[str, dict[tuple[Any, ...], Counter[str]]] = {basis: {} for basis in get_args(Basis)}
    rows = connection.execute(
        f"select dt.basis, dt.disease, a.code, dt.year, {', '.join(COUNTERS)} "  # noqa: S608 - our own names
        "from district_totals as dt inner join areas as a on dt.district_id = a.area_id"
    )
    for basis, disease, code, year, *amounts in rows:
        counters = totals[basis].setdefault((disease, code, year), Counter())
        counters.update({name: amount for name, amount in zip(COUNTERS, amounts, strict=True) if amount})
    return totals


def check_ledger(
    connection: Connection[TupleRow], wanted: Expected, journal: Iterable[Journaled]
) -> list[Finding]:
    """Ledger per event as an independent serial fold writes it; counts its sums; cases its last states."""
    known_at = {(row.subject, row.event_id): row.known_at for row in journal}
    key_and_amounts = f"disease, area_id, basis, day, via, agent, {', '.join(COUNTERS)}"
    found: Counter[LedgerRow] = Counter()
    mistimed = []
    for at, subject, event_id, *row in connection.execute(
        f"select known_at, subject, event_id, {key_and_amounts} from count_changes"  # noqa: S608
    ):
        found[LedgerRow(subject, str(event_id), CountKey(*row[:6]), _counters(row[6:]))] += 1
        if known_at.get((subject, event_id)) != at:
            mistimed.append((subject, event_id))
    counts = {
        CountKey(*row[:6]): counters
        for row in connection.execute(f"select {key_and_amounts} from daily_counts")  # noqa: S608
        if (counters := _counters(row[6:]))
    }
    cases = {
        subject: tuple(state)
        for subject, *state in connection.execute(
            "select subject, counted_disease, counted_area_id, counted_onset_day, counted_report_day "
            "from cases where counted_disease is not null"
        )
    }
    states = {
        subject: (case.disease, case.area.id, case.day, case.reported_on)
        for subject, case in wanted.cases.items()
    }
    return [
        *_finding("ledger", "rows missing", (wanted.ledger - found).elements()),
        *_finding("ledger", "rows too many", (found - wanted.ledger).elements()),
        *_finding("ledger", "rows with another known_at than their event", mistimed),
        *_finding("daily", "daily counts are wrong", _differing(wanted.counts, counts)),
        *_finding("cases", "cases are wrong", _differing(states, cases)),
    ]


def _counters(amounts: Iterable[int]) -> Counters:
    return frozenset((name, amount) for name, amount in zip(COUNTERS, amounts, strict=True) if amount)


def check_audit(connection: Connection[TupleRow]) -> list[Finding]:
    """The system's own audit sees no drift."""
    audited = audit(connection)
    return [] if audited.is_clean else [Finding("audit", str(audited))]


def check_dead_letters(
    connection: Connection[TupleRow], where: Where, due: Mapping[Place, str], book: Book
) -> list[Finding]:
    """Each record that is no event once in the table with its reason, and at least once in the topic.

    An identity used again with other content is there with both versions.
    """
    rows = connection.execute(
        "select kafka_partition, epoch, kafka_offset, error, record_value, standing_value "
        "from dead_letters where topic = %s",
        (where.topic,),
    ).fetchall()
    table = [(Place(*row[:3]), row[3]) for row in rows]
    versions = [(bytes(row[4]), row[5]) for row in rows if row[3] == CONFLICT]
    published = set()
    for record in read_topic(where, "dead-letters"):
        headers = dict(record.headers)
        error = headers["error"].decode()
        published.add((int(headers["partition"]), int(headers["offset"]), error))
        if error == CONFLICT:
            versions.append((record.value, headers.get("standing")))
    return [*compare_dead_letters(due, table, published), *compare_versions(book, versions)]


def dead_letters_seen(where: Where) -> str:
    """How many there are: in the topic some may stand twice, as a worker may die before it is told of one."""
    with answered(lambda: connect(where.database_url)) as connection:
        (in_table,) = connection.execute("select count(*) from dead_letters").fetchone() or (0,)
    in_topic = sum(1 for _ in read_topic(where, "dead-letters"))
    return f"{in_table} in the table, {in_topic} in the topic"


def compare_versions(book: Book, versions: Iterable[tuple[bytes, bytes | None]]) -> list[Finding]:
    """Each conflict's letter as it was sent, with the content that bears its identity."""

    def content(raw: bytes) -> bytes:
        # What stands is told without the envelope's constant.
        whole = json.dumps({"specversion": "1.0"} | json.loads(raw)).encode()
        return parse_event(whole, now=datetime.now(UTC), max_ahead=STREAM_MAX_AHEAD).content_hash

    return _finding(
        "dead_letters",
        "conflicts without both versions",
        [
            (sent, standing)
            for sent, standing in versions
            if sent not in book.conflicts
            or not standing
            or content(standing) != content(book.conflicts[sent])
        ],
    )


def compare_dead_letters(
    due: Mapping[Place, str], table: Sequence[tuple[Place, str]], published: Set[tuple[int, int, str]]
) -> list[Finding]:
    """What must be there, what is in the table, and (partition, offset, reason) of what is in the topic."""
    found = dict(table)
    silent = [place for place, error in table if (place.partition, place.offset, error) not in published]
    return [
        *_finding("dead_letters", "letters missing", due.keys() - found.keys()),
        *_finding("dead_letters", "letters too many", found.keys() - due.keys()),
        *_finding("dead_letters", "letters twice", range(len(table) - len(found))),
        *_finding(
            "dead_letters",
            "letters with another reason",
            [place for place in due.keys() & found.keys() if due[place] != found[place]],
        ),
        *_finding("dead_letters", "letters in the table that are not in the topic", silent),
    ]


def check_announced(connection: Connection[TupleRow], where: Where) -> list[Finding]:
    """Every count that moved was announced after the transaction that moved it last."""
    moved = {
        (disease, area_id): committed_at
        for disease, area_id, committed_at in connection.execute(
            "select disease, area_id, max(pg_xact_commit_timestamp(xmin)) from count_changes group by 1, 2"
        )
    }
    announced: dict[tuple[str, str], datetime] = {}
    for record in read_topic(where, "count-changes"):
        value = json.loads(record.value)
        # Kafka's clock shows whole milliseconds.
        at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=record.timestamp + 1)
        key = (value["disease"], value["area_id"])
        announced[key] = max(at, announced.get(key, at))
    return compare_announced(moved, announced)


def compare_announced(
    moved: Mapping[tuple[str, str], datetime], announced: Mapping[tuple[str, str], datetime]
) -> list[Finding]:
    """The counts whose last announcement was before their last change."""
    return _finding(
        "announced",
        "counts moved without being announced",
        [key for key, at in moved.items() if key not in announced or announced[key] < at],
    )


def _differing(wanted: Mapping[Any, Any], found: Mapping[Any, Any]) -> list[Any]:
    """Keys whose values differ, with both; what is empty counts as absent."""
    keys = wanted.keys() | found.keys()
    return [
        (key, f"wanted {wanted.get(key)}", f"found {found.get(key)}")
        for key in keys
        if (wanted.get(key) or None) != (found.get(key) or None)
    ]


def _finding(check: str, what: str, whom: Iterable[Any]) -> list[Finding]:
    cases = list(whom)
    if not cases:
        return []
    examples = "; ".join(str(case) for case in cases[:_EXAMPLES])
    return [Finding(check, f"{len(cases)} {what}, e.g. {examples}")]
