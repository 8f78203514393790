"""The adapters of the pages beside the case form, on real Kafka and TimescaleDB."""

import asyncio
import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import orjson
import pytest

from schemas.events import InvalidEvent
from services.importing.meanings import NoMeaning
from services.importing.readers import InputFile
from services.importing.run import ImportPlan
from services.intake.staff.dead_letter_desk import DatabaseDeadLetters
from services.intake.staff.import_desk import RealImports
from services.intake.staff.line_lists import DatabaseLists, Wanted
from services.intake.staff.long_work import Run
from services.intake.staff.report_desk import Asked, DatabaseReports
from services.intake.staff.week_figures import DatabaseWeek, week_days
from services.report.document import Document
from services.settings import Settings
from streams.domain.errors import ConfigurationError, RefusedAction
from streams.stores.database import connect
from streams.stores.imports import PostgresTwins, Twin
from streams.stores.ledger import PostgresLedger
from tests.builders import event, position, records
from tests.fakes import run
from tests.integration.intake.conftest import Consume
from tests.ledger_contract import fold
from tests.unit.importing.offices import CASE, export

pytestmark = pytest.mark.native

# A Thursday; the week's Monday is the 8th.
TODAY = date(2025, 12, 11)
AT = datetime(2025, 12, 11, 3, tzinfo=UTC)
OWN, OTHER = "03390", "03562"

_Answer = TypeVar("_Answer")


@pytest.fixture(scope="module")
def folded(scratch_settings: Settings) -> Settings:
    """Cases of this week, the week before and last year, and a record that is no event."""
    made = [
        event(
            "LC-1",
            1,
            time=AT,
            area_code=OWN,
            onset_on="2025-12-09",
            reported_on="2025-12-09",
            diagnosed_at="2025-12-02",
            external_ids={"ecds": "7"},
            hamlet="=1+1",
        ),
        event("LC-2", 2, time=AT, area_code=OWN, onset_on="2025-12-03"),
        event("LC-3", 3, time=AT, area_code=OTHER, onset_on="2025-12-10"),
        event("LC-4", 4, time=AT, area_code="106", onset_on="2024-12-10"),
        event("ECDS-9", 5, time=AT, area_code=OTHER, onset_on="2025-12-10", external_ids={"ecds": "9"}),
        event("LC-5", 6, time=AT, area_code=OWN, onset_on="2025-12-41"),
        event("LC-6", 7, time=AT, area_code="106", onset_on="2020-07-10", reported_on="2020-07-11"),
    ]
    ledger = PostgresLedger(scratch_settings.database_url.get_secret_value())
    try:
        assert run(ledger.replace_positions({0: None}, {0: position()}))
        fold(ledger, records(made, at=AT))
    finally:
        ledger.close()
    return scratch_settings


def url(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


def rows(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter))


def test_the_week_of_ones_own_areas(folded: Settings) -> None:
    async def ask() -> Any:
        week = DatabaseWeek(url(folded))
        days = week_days(TODAY, TODAY)
        try:
            return (
                await week.read(days, (OWN,), None),
                await week.read(days, None, None),
                await week.read(week_days(date(2024, 12, 10), TODAY), ("106",), None),
            )
        finally:
            await week.close()

    own, everywhere, then = asyncio.run(ask())
    (dengue,) = own.diseases
    assert (dengue.disease, dengue.cases, dengue.before, dengue.weeks[-2:]) == ("dengue", 1, 1, (1, 1))
    assert (own.lateness.cases, own.lateness.late) == (2, 1)
    assert own.gaps.cases == 2
    assert dict(own.gaps.fields)["sex"] == 2
    # Asked afterwards, in the areas of now.
    (dengue,) = then.diseases
    assert (then.days.name, dengue.cases) == ("2024-W50", 1)
    (dengue,) = everywhere.diseases
    # Last year's case came with a district's code: it is in the province, and in nobody's commune.
    assert (dengue.cases, dengue.before, dengue.last_year) == (3, 1, 1)


def test_lists_of_ones_own_areas(folded: Settings) -> None:
    async def ask(areas: tuple[str, ...] | None) -> tuple[bytes | None, bytes]:
        lists = DatabaseLists(url(folded))
        wanted = Wanted(areas, None, TODAY - timedelta(days=10), TODAY, TODAY, ",")
        try:
            return await lists.line_list(wanted), await lists.counts(wanted, "district")
        finally:
            await lists.close()

    cases, counts = asyncio.run(ask((OWN,)))
    assert cases is not None
    assert [row["case_id"] for row in rows(cases)] == ["LC-2", "LC-1"]
    assert rows(cases)[1]["hamlet"] == "'=1+1"
    assert rows(cases)[1]["commune_code"] == OWN
    assert [(row["commune"], row["notified"]) for row in rows(counts)] == [(OWN, "2")]
    cases, counts = asyncio.run(ask(None))
    assert cases is not None
    assert len(rows(cases)) == 4
    assert "commune" not in rows(counts)[0]
    assert sum(int(row["notified"]) for row in rows(counts)) == 4


def test_a_dead_letter_is_listed_repaired_and_sent_once(folded: Settings, consume: Consume) -> None:
    async def work() -> None:
        desk = DatabaseDeadLetters(folded)
        try:
            (letter,) = await desk.listed(is_open=True, most=5, before=None)
            number = letter["dead_letter_id"]
            assert not await desk.listed(is_open=True, most=5, before=number)
            assert await desk.read(number) == letter
            assert await desk.read(number + 1) is None
            assert [problem["field"] for problem in letter["problems"]] == ["data.onset_on"]
            with pytest.raises(InvalidEvent):
                await desk.resend(number, letter["record"].encode())
            repaired = orjson.loads(letter["record"])
            repaired["data"]["onset_on"] = "2025-12-04"
            assert await desk.resend(number, orjson.dumps(repaired))
            assert not await desk.resend(number, orjson.dumps(repaired))
            assert not await desk.listed(is_open=True, most=5, before=None)
            assert len(await desk.listed(is_open=False, most=5, before=None)) == 1
        finally:
            await desk.close()

    asyncio.run(work())
    found = [key for _, key, _ in consume(folded.topic_prefix + "case-events")]
    assert found.count(b"LC-5") == 1


def test_a_file_is_previewed_asked_about_decided_and_sent(folded: Settings, consume: Consume) -> None:
    doubtful = CASE | {"Mã số": "2025-12-000002", "Xã": "Xã Bình Lừ"}
    known = CASE | {"Mã số": "7"}
    content = export(CASE, doubtful, known)
    topic = folded.topic_prefix + "case-events"
    before = len(consume(topic))

    async def work() -> tuple[ImportPlan, ImportPlan]:
        desk = RealImports(folded)

        def import_it(*, is_preview: bool) -> ImportPlan:
            file = InputFile.of(io.BytesIO(content), "export.csv")
            return desk.run(ImportPlan(file.name, is_preview), file, Run())

        try:
            preview = await asyncio.to_thread(import_it, is_preview=True)
            assert not await desk.questions()
            sent = await asyncio.to_thread(import_it, is_preview=False)
            (question,) = await desk.questions()
            assert question.waiting_rows == 1
            with pytest.raises(NoMeaning):
                await desk.decide("area_code", question.text, "99999", TODAY, "lan")
            (code, _, on), *_ = question.candidates
            await desk.decide("area_code", question.text, code, date.fromisoformat(on), "lan")
            assert not await desk.questions()
            again = await asyncio.to_thread(import_it, is_preview=True)
            assert again.outcome.created == 1
            return preview, sent
        finally:
            await desk.close()

    preview, sent = asyncio.run(work())
    assert (sent.outcome.created, sent.outcome.doubtful) == (2, 1)
    assert preview.outcome.document() == sent.outcome.document()
    # The row with the national code of a case that is here is taken for that case.
    assert sorted(key for _, key, _ in consume(topic)[before:] if key) == [b"ECDS-2025-12-000001", b"LC-1"]


def test_cases_by_the_codes_of_other_systems(folded: Settings) -> None:
    twins = PostgresTwins(url(folded), "ecds", "ECDS-")
    found = twins.carrying({("ecds", "7"), ("ecds", "9"), ("ecds", "8"), ("hospital", "7")})
    assert found == {("ecds", "7"): [Twin("LC-1", "dengue")], ("ecds", "9"): [Twin("ECDS-9", "dengue")]}
    assert twins.carrying(set()) == {}


def test_a_report_is_written_published_and_compared(folded: Settings) -> None:
    # What was folded stands under the topic's plain name.
    unprefixed = folded.model_copy(update={"topic_prefix": ""})

    async def publish() -> tuple[Asked, Document, UUID]:
        desk = DatabaseReports(unprefixed)
        try:
            assert await desk.provinces(TODAY) == [("12", "Tỉnh Lai Châu")]
            asked = Asked("12", date(2020, 7, 1), date(2020, 7, 31), None, "vi")
            written = await asyncio.to_thread(desk.write, asked)
            assert "Dengue" in written.files["md"].content.decode()
            assert written.files["docx"].content.startswith(b"PK")
            assert await desk.published() == []
            assert await desk.read_published(uuid4()) is None
            seen = written.document
            kept = await asyncio.to_thread(desk.publish, asked, "Tháng 7", "minh", seen)
            (listed,) = await desk.published()
            assert (listed.id, listed.document, listed.settings["published_by"]) == (kept.id, "", "minh")
            known = await desk.read_published(kept.id)
            assert known is not None
            assert known.is_unchanged
            assert known.document["sections"] == seen["sections"]
            with connect(url(folded)) as connection:
                connection.execute(
                    "insert into snapshots select gen_random_uuid(), taken_at, label, 'counts', load_id, "
                    "positions, settings, '[]', sha256('[]'::bytea) from snapshots"
                )
                (other,) = connection.execute(
                    "select snapshot_id from snapshots where kind = 'counts'"
                ).fetchone() or (None,)
            # Counts that were published are no report.
            assert other is not None
            assert await desk.read_published(other) is None
            assert len(await desk.published()) == 1
            return asked, seen, kept.id
        finally:
            await desk.close()

    asked, seen, published = asyncio.run(publish())
    # A case moves to another district, and another one comes late.
    moved = event("LC-6", 30, "updated", AT + timedelta(minutes=1), area_code="108", area_on="2020-07-10")
    late = event("LC-8", 31, time=AT, area_code="106", onset_on="2020-07-04", reported_on="2020-07-05")
    ledger = PostgresLedger(url(folded))
    try:
        for raw in (moved, late):
            (at,) = run(ledger.positions([0])).values()
            fold(ledger, records([raw], at.next_offset, at=datetime.now(UTC)))
    finally:
        ledger.close()

    async def compare() -> None:
        desk = DatabaseReports(unprefixed)
        try:
            with pytest.raises(RefusedAction, match=r"^Số liệu đã thay đổi.* / The figures have changed"):
                await asyncio.to_thread(desk.publish, asked, "Lại", "minh", seen)
            assert len(await desk.published()) == 1
            assert await desk.changes(uuid4(), None, "vi") is None
            assert await desk.changes(published, uuid4(), "vi") is None
            found = await desk.changes(published, None, "vi")
            assert found is not None
            told = [paragraph.text.partition("tháng 7/2020: ")[2] for paragraph in found.changes.paragraphs]
            assert told == [
                "01 trường hợp báo cáo muộn tại huyện Tam Đường.",
                "01 trường hợp chuyển từ huyện Tam Đường sang huyện Sìn Hồ.",
            ]
            again = await asyncio.to_thread(desk.write, asked)
            newer = await asyncio.to_thread(desk.publish, asked, "Lại", "minh", again.document)
            same = await desk.changes(published, newer.id, "en")
            assert same is not None
            assert (same.since.id, same.until) == (published, newer)
            assert len(same.changes.groups) == len(found.changes.groups)
            with pytest.raises(ConfigurationError, match="Thời điểm sau"):
                await desk.changes(newer.id, published, "vi")
        finally:
            await desk.close()

    asyncio.run(compare())
