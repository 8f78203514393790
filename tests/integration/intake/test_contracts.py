"""The laws of the intake's ports: each holds for the fake and for the real adapter."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.alert_documents import summary
from services.intake.alert_book import DatabaseAlerts
from services.intake.database import DatabaseKnowledge
from services.intake.kafka import KafkaSink
from services.intake.ports import AlertBook, EventSink, Identity, Knowledge, Outgoing
from services.settings import Settings
from streams.domain.alerts import AlertEvent, AlertPlace, Kind, Life, State, judged
from streams.domain.errors import CanhDichError, RefusedAction
from streams.domain.receipts import Fate
from streams.domain.rules.verdicts import Level, Outcome
from streams.stores.alerts import PostgresAlerts
from streams.stores.database import connect
from streams.stores.deliveries import plan_deliveries
from tests.fakes_intake import FakeAlertBook, FakeKnowledge, FakeSink, small_catalogue
from tests.integration.intake.conftest import Consume
from tests.unit.domain.test_alerts import START, verdict

TOPIC = "case-events"
Records = Callable[[], list[tuple[bytes | None, bytes | None]]]


class SinkContract:
    """An EventSink that works (`sink`, what it holds by `records`), and one that cannot (`broken_sink`)."""

    sink: EventSink
    broken_sink: EventSink
    records: Records

    def test_acknowledges_what_is_there_each_key_in_its_order(self) -> None:
        keys = [f"{uuid4()}".encode() for _ in range(3)]
        sent = [Outgoing(TOPIC, keys[n % 3], b'{"number": %d}' % n) for n in range(60)]

        async def scenario() -> list[bool]:
            first = await self.sink.send(sent[:1], 60)
            rest = await self.sink.send(sent[1:], 60)
            await self.sink.close()
            return first + rest

        assert asyncio.run(scenario()) == [True] * 60
        found = self.records()
        for key in keys:
            assert [value for k, value in found if k == key] == [r.value for r in sent if r.key == key]

    def test_a_record_that_kafka_refuses_is_not_acknowledged_and_the_next_ones_are(self) -> None:
        key = f"{uuid4()}".encode()

        async def scenario() -> list[list[bool]]:
            values = [b"{}", b"x" * 1_500_000, b"[]", b"[1]"]
            try:
                return [await self.sink.send([Outgoing(TOPIC, key, value)], 60) for value in values]
            finally:
                await self.sink.close()

        assert asyncio.run(scenario()) == [[True], [False], [True], [True]]
        assert [value for k, value in self.records() if k == key] == [b"{}", b"[]", b"[1]"]

    def test_nothing_to_send_is_sent_at_once(self) -> None:
        async def scenario() -> list[bool]:
            try:
                return await self.sink.send([], 60)
            finally:
                await self.sink.close()

        assert asyncio.run(scenario()) == []

    def test_sends_at_the_same_time_are_told_apart(self) -> None:
        keys = [f"{uuid4()}".encode() for _ in range(40)]

        async def scenario() -> list[list[bool]]:
            try:
                return await asyncio.gather(
                    *(
                        self.sink.send([Outgoing(TOPIC, key, key)] * (n % 3 + 1), 60)
                        for n, key in enumerate(keys)
                    )
                )
            finally:
                await self.sink.close()

        assert asyncio.run(scenario()) == [[True] * (n % 3 + 1) for n in range(40)]
        found = [key for key, _ in self.records()]
        assert [found.count(key) for key in keys] == [n % 3 + 1 for n in range(40)]

    def test_a_check_passes(self) -> None:
        async def scenario() -> None:
            await self.sink.check()
            await self.sink.close()

        asyncio.run(scenario())

    def test_what_cannot_be_sent_is_not_acknowledged_and_the_check_says_why(self) -> None:
        async def scenario() -> list[bool]:
            async with asyncio.timeout(30):
                acknowledged = await self.broken_sink.send([Outgoing(TOPIC, b"k", b"v")] * 2, 0.2)
                with pytest.raises(CanhDichError):
                    await self.broken_sink.check()
                await self.broken_sink.close()
            return acknowledged

        assert asyncio.run(scenario()) == [False, False]


class TestFakeSink(SinkContract):
    @pytest.fixture(autouse=True)
    def _sinks(self) -> None:
        sink, broken_sink = FakeSink(), FakeSink()
        broken_sink.is_down = True
        self.sink, self.broken_sink = sink, broken_sink
        self.records = lambda: [(record.key, record.value) for record in sink.records]


@pytest.mark.native
class TestKafkaSink(SinkContract):
    @pytest.fixture(autouse=True)
    def _sinks(self, kafka_bootstrap: str, topic_prefix: str, consume: Consume) -> None:
        self.sink = KafkaSink(kafka_bootstrap, topic_prefix, [TOPIC])
        # The broker answers, and has no such topics.
        self.broken_sink = KafkaSink(kafka_bootstrap, f"absent-{topic_prefix}", [TOPIC])
        self.records = lambda: [(key, value) for _, key, value in consume(topic_prefix + TOPIC)]


class KnowledgeContract:
    """Makes a Knowledge that works (`put` adds to its journal), one without a catalogue, one that is down."""

    knowledge: Callable[[], Knowledge]
    without_catalogue: Callable[[], Knowledge]
    down: Callable[[], Knowledge]
    put: Callable[[Identity, bytes], None]

    def test_gives_the_hashes_of_known_identities_only(self) -> None:
        one, other = UUID(int=1), UUID(int=2)
        subjects = [f"LC-{uuid4()}", f"LC-{uuid4()}"]
        self.put((subjects[0], one), b"\1" * 32)
        self.put((subjects[1], one), b"\2" * 32)
        asked: list[Identity] = [(subject, event_id) for subject in subjects for event_id in (one, other)]
        assert _ask(self.knowledge, lambda known: known.known_hashes(asked)) == {
            (subjects[0], one): b"\1" * 32,
            (subjects[1], one): b"\2" * 32,
        }

    def test_nothing_asked_is_nothing_known(self) -> None:
        assert _ask(self.knowledge, lambda known: known.known_hashes([])) == {}

    def test_gives_a_catalogue_that_is_newer(self) -> None:
        catalogue = _ask(self.knowledge, lambda known: known.newer_catalogue(None))
        assert catalogue is not None
        assert "dengue" in catalogue.resolves_to
        district = catalogue.areas.resolve("109", "2023-07-01")
        assert district is not None
        assert district.id == "109@start"
        assert catalogue.areas.resolve("109", "2025-07-01") is None
        newer = _ask(self.knowledge, lambda known: known.newer_catalogue(catalogue.load_id - 1))
        assert newer.load_id == catalogue.load_id

    def test_gives_nothing_where_the_load_is_the_one_in_force(self) -> None:
        catalogue = _ask(self.knowledge, lambda known: known.newer_catalogue(None))
        assert _ask(self.knowledge, lambda known: known.newer_catalogue(catalogue.load_id)) is None

    def test_of_an_event_that_never_came_nothing_is_known(self) -> None:
        event_id = uuid4()
        for subject in (None, "LC-1", "' or '1'='1", "'; drop table event_ids; --"):
            told = _ask(self.knowledge, lambda known, subject=subject: known.fate(event_id, subject))
            assert told == Fate(event_id, [], [])

    def test_a_check_passes(self) -> None:
        _ask(self.knowledge, lambda known: known.check())

    def test_without_a_catalogue_it_cannot_say(self) -> None:
        with pytest.raises(CanhDichError):
            _ask(self.without_catalogue, lambda known: known.newer_catalogue(None))

    def test_when_down_it_cannot_say(self) -> None:
        for question in (
            lambda known: known.known_hashes([("LC-1", UUID(int=1))]),
            lambda known: known.fate(UUID(int=1), None),
            lambda known: known.newer_catalogue(None),
            lambda known: known.check(),
        ):
            with pytest.raises(CanhDichError):
                _ask(self.down, question)


def _ask(make: Callable[[], Knowledge], question: Callable[[Knowledge], Any]) -> Any:
    async def scenario() -> Any:
        knowledge = make()
        try:
            return await question(knowledge)
        finally:
            await knowledge.close()

    return asyncio.run(scenario())


class TestFakeKnowledge(KnowledgeContract):
    @pytest.fixture(autouse=True)
    def _knowledges(self) -> None:
        knowledge, down = FakeKnowledge(catalogue=small_catalogue()), FakeKnowledge()
        down.is_down = True
        self.knowledge, self.without_catalogue, self.down = lambda: knowledge, FakeKnowledge, lambda: down
        self.put = knowledge.hashes.__setitem__


@pytest.mark.native
class TestDatabaseKnowledge(KnowledgeContract):
    @pytest.fixture(autouse=True)
    def _knowledges(self, scratch_settings: Settings, empty_database_url: str) -> Iterator[None]:
        url = scratch_settings.database_url.get_secret_value()
        self.knowledge = lambda: DatabaseKnowledge(url)
        self.without_catalogue = lambda: DatabaseKnowledge(empty_database_url)
        self.down = lambda: DatabaseKnowledge("postgresql://nobody@127.0.0.1:1/none")

        with connect(url) as connection:

            def put(identity: Identity, content_hash: bytes) -> None:
                connection.execute(
                    "insert into event_ids (subject, event_id, content_hash) values (%s, %s, %s)",
                    (*identity, content_hash),
                )

            self.put = put
            yield


class AlertBookContract:
    """Makes an AlertBook that works (with `raised` as its one alert), and one that is down."""

    book: Callable[[], AlertBook]
    down: Callable[[], AlertBook]
    raised: AlertEvent

    def test_shows_the_inbox_and_what_of_it_is_asked_for(self) -> None:
        def inbox(**wanted: Any) -> Any:
            asked = {"is_open": True, "disease": None, "area_code": None, "most": 10} | wanted
            return _ask(self.book, lambda book: book.inbox(**asked))

        (row,) = inbox()
        assert summary(dict(row))["alert_id"] == self.raised.alert_id
        assert len(inbox(area_code="12")) == len(inbox(disease="dengue")) == 1
        assert inbox(area_code="15") == inbox(disease="rabies") == inbox(disease="' or '1'='1") == []
        assert inbox(area_code="99") is None

    def test_goes_on_after_a_place(self) -> None:
        def number_after(**changed: Any) -> int:
            place = AlertPlace(row["state"], row["level"], row["raised_at"], row["alert_id"])
            asked: dict[str, Any] = {"is_open": True, "disease": None, "area_code": None, "most": 10}
            after = place._replace(**changed)
            return len(_ask(self.book, lambda book: book.inbox(**asked, after=after)))

        (row,) = _ask(self.book, lambda book: book.inbox(is_open=True, disease=None, area_code=None, most=10))
        a_minute = timedelta(minutes=1)
        assert number_after() == 0
        assert number_after(alert_id=UUID(int=0)) == 1
        assert number_after(raised_at=row["raised_at"] + a_minute) == 1
        assert number_after(raised_at=row["raised_at"] - a_minute, alert_id=UUID(int=0)) == 0
        assert number_after(level="attention", raised_at=row["raised_at"] + a_minute) == 0
        assert number_after(state="verified", level="outbreak", raised_at=row["raised_at"] + a_minute) == 0

    def test_shows_one_with_its_history_and_its_text(self) -> None:
        known = _ask(self.book, lambda book: book.read(self.raised.alert_id))
        assert known.alert.alert_id == self.raised.alert_id
        assert [event.kind for event in known.events] == [Kind.RAISED]
        assert known.text_vi.startswith(("Bệnh", "CÓ DỊCH"))
        assert _ask(self.book, lambda book: book.read(UUID(int=7))) is None

    def test_records_what_people_do_and_refuses_what_is_not_possible(self) -> None:
        async def scenario() -> tuple[Any, Any]:
            book = self.book()
            try:
                alert = await book.act(self.raised.alert_id, "acknowledge", "bs.lan", None, None)
                with pytest.raises(RefusedAction):
                    await book.act(self.raised.alert_id, "acknowledge", "bs.lan", None, None)
                with pytest.raises(RefusedAction):
                    await book.act(self.raised.alert_id, "close", "bs.lan", None, None)
                return alert, await book.act(UUID(int=7), "verify", "bs.lan", None, None)
            finally:
                await book.close()

        alert, unknown = asyncio.run(scenario())
        assert (alert.state, alert.events, unknown) == (State.ACKNOWLEDGED, 2, None)

    def test_when_down_it_cannot_say(self) -> None:
        for question in (
            lambda book: book.inbox(is_open=True, disease=None, area_code=None, most=1),
            lambda book: book.read(self.raised.alert_id),
            lambda book: book.act(self.raised.alert_id, "verify", "bs.lan", None, None),
        ):
            with pytest.raises(CanhDichError):
                _ask(self.down, question)


class TestFakeAlertBook(AlertBookContract):
    @pytest.fixture(autouse=True)
    def _books(self) -> None:
        event = judged([], verdict(20, Outcome.OUTBREAK, Level.OUTBREAK), START, Life())
        assert event is not None
        book, down = FakeAlertBook(event), FakeAlertBook(event)
        book.areas, down.is_down = {"12": {"03390@2025-07-01"}, "15": set()}, True
        self.raised, self.book, self.down = event, lambda: book, lambda: down


@pytest.mark.native
class TestDatabaseAlerts(AlertBookContract):
    @pytest.fixture(autouse=True)
    def _books(self, fresh_database_url: str) -> None:
        store = PostgresAlerts(fresh_database_url, Life(), plan_deliveries)
        made = verdict(20, Outcome.OUTBREAK, Level.OUTBREAK)
        (self.raised,) = store.judge(
            [(made.disease, made.area_id)], START, lambda known: {key: [made] for key in known}
        )
        store.close()
        link, nowhere = "https://x.example", "postgresql://nobody@127.0.0.1:1/none"
        self.book = lambda: DatabaseAlerts(fresh_database_url, link, lambda: START)
        self.down = lambda: DatabaseAlerts(nowhere, link, lambda: START)
