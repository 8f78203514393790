"""Small histories of the stream: records appended, folded late, repeated, read again; catalogues loaded.

A World plays a history on a real database, as a worker would. A Model says what the counts must be after any
selection of what was folded; it shares the fold of one case with streams/domain, and nothing with the stores.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import TupleRow

import schemas.catalogue as published
from schemas.events import parse_event
from schemas.topics.partitioner import partition_for
from streams.domain.areas import code_of
from streams.domain.calendar import microseconds
from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.catalogue import Catalogue
from streams.domain.counts import COUNTERS, Basis, changes
from streams.domain.judging import judge, kind_of
from streams.domain.reports import ReportKind
from streams.handlers.fold_cases import FoldCases, Record
from streams.handlers.fold_reports import FoldReports
from streams.stores.catalogue import load
from streams.stores.counts import CountsRequest
from streams.stores.ledger import PostgresLedger
from streams.stores.reports import PostgresReports
from tests.builders import AREAS, DISEASES, START, event, judged_by, position, small_catalogue
from tests.fakes import RecordingAnnouncements, run
from tests.report_builders import focus, tally

PARTITIONS = 2
OLD_GEOGRAPHY = date(2024, 1, 1)
_REPORT_KINDS: tuple[ReportKind, ...] = ("tally", "focus")
APPENDED_FROM = datetime(2040, 1, 1, tzinfo=UTC)
"""After the database's clock, so that known_at comes from the records alone, also after a load."""

_SINCE = date(2023, 7, 3)
_RASH = replace(DISEASES[3], resolves_to={"measles": "measles"})
_MOVED = replace(next(area for area in AREAS if area.id == "03552@start"), parent_id="106@start")

CATALOGUES = (
    # Rubella is not known yet, and rash does not resolve to it.
    small_catalogue("v1", diseases=(DISEASES[0], DISEASES[1], _RASH)),
    small_catalogue("v2", diseases=(*DISEASES[:3], _RASH)),
    small_catalogue("v3"),
    # Earlier cases of dengue belong to the tallies.
    small_catalogue("v4", case_reports_since=(published.CaseReportsSince("dengue", "12", _SINCE),)),
    # A commune changes its district, and a disease its name.
    small_catalogue(
        "v5",
        case_reports_since=(published.CaseReportsSince("dengue", "12", _SINCE),),
        areas=tuple(_MOVED if area.id == _MOVED.id else area for area in AREAS),
        diseases=(*DISEASES[1:], replace(DISEASES[0], name_vi="Sốt xuất huyết")),
    ),
)
"""Loaded one after the other; each knows all that the one before knew."""


@dataclass(frozen=True, slots=True)
class Append:
    """A record comes to Kafka, so many minutes after APPENDED_FROM by the broker's clock."""

    value: bytes
    minute: int

    @property
    def partition(self) -> int:
        return partition_for(_key(self.value), PARTITIONS)

    @property
    def topic(self) -> str:
        """What it is an event of: case, tally or focus."""
        return str(orjson.loads(self.value)["type"]).split(".")[2]


@dataclass(frozen=True, slots=True)
class Fold:
    """A worker folds at most so many records of a partition of each topic."""

    partition: int
    most: int


@dataclass(frozen=True, slots=True)
class Load:
    """The next catalogue is loaded, if there is one."""


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """A partition of each topic is read again from its start, under a new epoch; where it was made anew it is
    empty."""

    partition: int
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Publish:
    """Somebody publishes counts."""


Step = Append | Fold | Load | ReadAgain | Publish


def _key(value: bytes) -> bytes:
    return str(orjson.loads(value)["subject"]).encode()


_days = st.sampled_from(["2023-07-01", "2023-07-02", "2023-07-03", "2023-07-04"])
_results = st.sampled_from(["positive", "negative", "pending"])
_FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "disease": st.sampled_from(["dengue", "measles", "rash", "rubella"]),
    "area_code": st.sampled_from(["03412", "03549", "03552", "106", "99999"]),
    "onset_on": _days,
    "died_at": st.sampled_from([None, "2023-07-05", "2023-07-06"]),
    "classification": st.sampled_from(["probable", "confirmed", "discarded"]),
    "lab": st.dictionaries(st.sampled_from(["measles", "rubella"]), _results, min_size=1),
    "origin": st.sampled_from(["imported", "local"]),
}


@st.composite
def _events(draw: st.DrawFn) -> bytes:
    # Few subjects and ids: identities are used again, with the same and with other content.
    kind = draw(st.sampled_from(["reported", "reported", "updated", "retracted"]))
    names = set() if kind == "retracted" else draw(st.sets(st.sampled_from(sorted(_FIELDS)), min_size=1))
    return event(
        f"LC-{draw(st.integers(1, 5))}",
        draw(st.integers(1, 12)),
        kind,
        START + timedelta(minutes=draw(st.integers(0, 3))),
        **{name: draw(_FIELDS[name]) for name in sorted(names)},
    )


_PERIODS = (("2022-01-01", "2022-12-31"), ("2022-03-01", "2022-03-31"))


@st.composite
def _reports(draw: st.DrawFn) -> bytes:
    number, time = draw(st.integers(1, 12)), START + timedelta(minutes=draw(st.integers(0, 3)))
    disease = draw(st.sampled_from(["dengue", "measles", "rubella"]))
    amount = st.integers(0, 9)
    if draw(st.booleans()):
        start, end = draw(st.sampled_from(_PERIODS))
        return tally(
            draw(st.sampled_from(["cases", "pep_started"])),
            draw(amount),
            number,
            time,
            disease=disease,
            area=draw(st.sampled_from(["12", "106", "99999"])),
            start=start,
            end=end,
            **draw(st.fixed_dictionaries({}, optional={"target": st.one_of(st.none(), amount)})),
        )
    optional = {name: st.one_of(st.none(), amount) for name in ("exposed", "ill", "dead")}
    return focus(
        f"OD-{draw(st.integers(1, 3))}",
        number,
        time,
        disease=disease,
        area_code=draw(st.sampled_from(["03412", "03549", "99999"])),
        started_on=draw(st.one_of(st.none(), _days)),
        **draw(st.fixed_dictionaries({}, optional=optional)),
    )


_appends = st.builds(Append, _events(), st.integers(0, 12))
_report_appends = st.builds(Append, _reports(), st.integers(0, 12))
_partitions = st.integers(0, PARTITIONS - 1)
_folds = st.builds(Fold, _partitions, st.integers(1, 6))
_SELDOM = st.one_of(st.just(Load()), st.just(Publish()), st.builds(ReadAgain, _partitions, st.booleans()))


def histories(max_size: int = 30, *, with_reports: bool = False) -> st.SearchStrategy[list[Step]]:
    """Histories of so many steps, with tallies and foci or without; what is not folded at their end stays in
    Kafka."""
    others = (_report_appends,) * 3 if with_reports else ()
    steps: st.SearchStrategy[Step] = st.one_of(_appends, _appends, _appends, *others, _folds, _folds, _SELDOM)
    return st.lists(steps, max_size=max_size)


@dataclass(frozen=True, slots=True)
class Folded:
    """What was folded at one place of a history: an event that was new, or a catalogue."""

    known_at: datetime
    what: bytes | Catalogue


class World:
    """A database that lives through a history.

    Attributes:
        folded: What was folded of cases so far, in the order of folding.
    """

    def __init__(
        self,
        database_url: str,
        connection: Connection[TupleRow],
        publish: Callable[["World"], None] = lambda _: None,
    ) -> None:
        self._connection = connection
        self._publish = publish
        self._ledgers = {
            "case": PostgresLedger(database_url),
            **{kind: PostgresReports(database_url, kind) for kind in _REPORT_KINDS},
        }
        self._handlers = {
            "case": FoldCases(self._ledgers["case"], RecordingAnnouncements(), PARTITIONS),
            **{
                kind: FoldReports(kind, self._ledgers[kind], RecordingAnnouncements(), PARTITIONS)
                for kind in _REPORT_KINDS
            },
        }
        self._logs: dict[tuple[str, int], list[Append]] = {
            (topic, p): [] for topic in self._handlers for p in range(PARTITIONS)
        }
        self._last_known = dict.fromkeys(range(PARTITIONS), APPENDED_FROM)
        self._identities: set[tuple[str, str]] = set()
        self._loads = 0
        self.folded: list[Folded] = []
        empty(connection)
        self._load()
        start = position(last_known_at=APPENDED_FROM)
        new = dict.fromkeys(range(PARTITIONS), start)
        for topic, ledger in self._ledgers.items():
            assert run(ledger.replace_positions(dict.fromkeys(new), new)), topic

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        for ledger in self._ledgers.values():
            ledger.close()

    def play(self, steps: Iterable[Step]) -> None:
        """Live through some steps."""
        for step in steps:
            match step:
                case Append():
                    self._logs[step.topic, step.partition].append(step)
                case Fold():
                    for topic in self._handlers:
                        self._fold(topic, step.partition, step.most)
                case Load():
                    self._load()
                case ReadAgain():
                    for topic in self._handlers:
                        if step.is_new:
                            self._logs[topic, step.partition].clear()
                        self._read_again(topic, step.partition)
                case Publish():
                    self._publish(self)

    def fold_all(self) -> None:
        """Catch up with Kafka."""
        for (topic, partition), log in self._logs.items():
            self._fold(topic, partition, len(log))

    def _fold(self, topic: str, partition: int, most: int) -> None:
        done = run(self._ledgers[topic].positions([partition]))[partition].next_offset
        batch = [
            Record(
                partition,
                done + place,
                APPENDED_FROM + timedelta(minutes=record.minute),
                _key(record.value),
                record.value,
            )
            for place, record in enumerate(self._logs[topic, partition][done : done + most])
        ]
        if not batch:
            return
        run(self._handlers[topic].handle(batch))
        for record in batch if topic == "case" else ():
            known_at = max(record.appended_at, self._last_known[partition])
            self._last_known[partition] = known_at
            content = orjson.loads(record.value or b"")
            identity = (content["subject"], content["id"])
            if identity not in self._identities:
                self._identities.add(identity)
                self.folded.append(Folded(known_at, record.value or b""))

    def _load(self) -> None:
        if self._loads == len(CATALOGUES):
            return
        catalogue = CATALOGUES[self._loads]
        self._loads += 1
        load(self._connection, catalogue, "test")
        self._forget()
        known_at = max(self._last_known.values())
        self._last_known = dict.fromkeys(range(PARTITIONS), known_at)
        judged = judged_by(catalogue, self._loads)
        since = {
            (row.disease, f"{row.province_code}@start"): row.since for row in catalogue.case_reports_since
        }
        iso = {key: day.isoformat() for key, day in since.items()}
        self.folded.append(Folded(known_at, replace(judged, case_reports_since=iso)))

    def _read_again(self, topic: str, partition: int) -> None:
        before = run(self._ledgers[topic].positions([partition]))[partition]
        after = replace(before, epoch=before.epoch + 1, next_offset=0, announced_offset=0, last_hash=None)
        assert run(self._ledgers[topic].replace_positions({partition: before}, {partition: after}))
        self._forget()

    def _forget(self) -> None:
        for handler in self._handlers.values():
            handler.forget()


def empty(connection: Connection[TupleRow]) -> None:
    """Empty every table of the schema but the trail, which nobody can."""
    tables = connection.execute(
        "select string_agg(tablename, ', ') from pg_tables "
        "where schemaname = 'public' and tablename not like '%yoyo%' and tablename <> 'staff_actions'"
    ).fetchone()
    assert tables is not None
    connection.execute(f"truncate {tables[0]}".encode())


Counted = dict[tuple[str, str | None, str | None], tuple[int, ...]]
"""(disease, district code or None, day or None) -> one number per counter."""


def counted_by(folded: Sequence[Folded], basis: Basis) -> Counted:
    """The counts after folding just this, in this order."""
    catalogue: Catalogue | None = None
    cases: dict[str, Case] = defaultdict(Case)
    waiting: list[bytes] = []
    for entry in folded:
        if isinstance(entry.what, Catalogue):
            catalogue = entry.what
            waiting = [raw for raw in waiting if not _apply(cases, raw, catalogue)]
        else:
            assert catalogue is not None
            if not _apply(cases, entry.what, catalogue):
                waiting.append(entry.what)
    assert catalogue is not None
    sums: Counted = {}
    for case in cases.values():
        for key, amounts in changes(None, contribution_of(case, catalogue)):
            if key.basis != basis or key.agent:
                continue
            district = catalogue.areas[key.area_id].district_id
            place = (key.disease, None if district is None else code_of(district), key.day)
            sums[place] = tuple(map(sum, zip(sums.get(place, (0,) * len(COUNTERS)), amounts, strict=True)))
    return {place: amounts for place, amounts in sums.items() if any(amounts)}


def _apply(cases: dict[str, Case], raw: bytes, catalogue: Catalogue) -> bool:
    """Fold one event; False where its codes are not known."""
    parsed = parse_event(raw, now=APPENDED_FROM, max_ahead=timedelta(0))
    judged, _ = judge(
        kind_of(parsed.type),
        parsed.subject,
        parsed.id,
        microseconds(parsed.time),
        orjson.loads(orjson.dumps(parsed.data)),
        catalogue,
    )
    if isinstance(judged, CaseEvent):
        cases[parsed.subject].apply(judged)
    return isinstance(judged, CaseEvent)


def request(basis: Basis, **changes: Any) -> CountsRequest:
    """What `counted_by` says, as a question to the database."""
    return CountsRequest(
        by=("disease", "district", "day"), geography_on=OLD_GEOGRAPHY, basis=basis, **changes
    )


def as_counted(rows: Iterable[Mapping[str, Any]]) -> Counted:
    """The database's answer, in the form of `counted_by`."""
    return {
        (row["disease"], row["district"], None if row["day"] is None else str(row["day"])): tuple(
            row[counter] for counter in COUNTERS
        )
        for row in rows
    }
