"""Hand-written fakes of what the pages beside the case form need (services/intake/staff/back_office.py)."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from schemas.catalogue import Catalogue
from schemas.events import DOOR_MAX_AHEAD, parse_event
from services.importing.codes import CodeFinder, meaning_key
from services.importing.meanings import Field, NoMeaning
from services.importing.readers import InputFile
from services.importing.run import ImportPlan, Ports, run_import
from services.intake.staff.back_office import BackOffice
from services.intake.staff.line_lists import Level, Wanted
from services.intake.staff.long_work import Run
from services.intake.staff.report_desk import Asked, Compared, Published, Written
from services.intake.staff.week_figures import (
    DiseaseWeek,
    Gaps,
    Lateness,
    SilentOne,
    Week,
    WeekDays,
)
from services.report.changes import ChangeReport
from services.report.document import Document
from services.report.writing import Printed
from streams.domain.as_of import Vector
from streams.domain.catalogue import Catalogue as JudgingCatalogue
from streams.domain.errors import ConfigurationError, DependencyDown, RefusedAction
from streams.domain.report import Paragraph
from streams.domain.report.language import Lang
from streams.stores.meanings import Meaning
from streams.stores.snapshots import Snapshot
from tests.builders import judged_by
from tests.unit.importing.fakes import MemoryIdentities, MemoryKafka, MemoryRows, MemoryTwins

SNAPSHOT_ID = UUID(int=4_711)


_MADE: dict[int, tuple[Catalogue, CodeFinder, JudgingCatalogue]] = {}


def _codes(catalogue: Catalogue) -> CodeFinder:
    """Made once for all tests: it takes its time."""
    return _made(catalogue)[1]


def _judging(catalogue: Catalogue) -> JudgingCatalogue:
    return _made(catalogue)[2]


def _made(catalogue: Catalogue) -> tuple[Catalogue, CodeFinder, JudgingCatalogue]:
    if id(catalogue) not in _MADE:
        _MADE[id(catalogue)] = catalogue, CodeFinder(catalogue), judged_by(catalogue)
    return _MADE[id(catalogue)]


class FakeWeek:
    """A WeekFigures with one dengue week.

    Attributes:
        asked: (areas, facility) of every question.
        is_down: Every question fails.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[str] | None, str | None]] = []
        self.is_down = False

    async def read(self, days: WeekDays, areas: Sequence[str] | None, facility: str | None) -> Week:
        """Four cases this week, nothing known of last year."""
        if self.is_down:
            raise DependencyDown("the fake database is down")
        self.asked.append((areas, facility))
        weeks = (0, 0, 1, None, 2, 3, 5, 8, 3, 2, 1, 4)
        dengue = DiseaseWeek("dengue", "Sốt xuất huyết Dengue", "Dengue", 4, 1, 1, None, weeks)
        late = Lateness(5, 2, 1, (("Sốt xuất huyết Dengue", "Dengue", 1),))
        silent = (SilentOne("LC-TYT-03549", "Khu vực Phong Thổ", date(2025, 12, 1), 4),)
        return Week(days, (dengue,), late, Gaps(5, 2, (("onset_on", 2), ("commune", 1))), silent, 9)

    async def close(self) -> None:
        """Nothing to close."""


class FakeDeadLetters:
    """A DeadLetterDesk in memory.

    Attributes:
        letters: By id, as schemas/sql/queries/dead_letters.sql gives them.
        sent: What was sent again.
    """

    def __init__(self, *letters: dict[str, Any]) -> None:
        self.letters = {letter["dead_letter_id"]: letter for letter in letters}
        self.sent: list[bytes] = []

    async def listed(self, *, is_open: bool, most: int, before: int | None) -> list[Mapping[str, Any]]:
        """The newest first."""
        newest = sorted(self.letters.values(), key=lambda letter: -letter["dead_letter_id"])
        return [
            letter
            for letter in newest
            if (letter["retried_at"] is None or not is_open)
            and (before is None or letter["dead_letter_id"] < before)
        ][:most]

    async def read(self, dead_letter_id: int) -> Mapping[str, Any] | None:
        """One of them."""
        return self.letters.get(dead_letter_id)

    async def resend(self, dead_letter_id: int, raw: bytes) -> bool:
        """Keep what is sent, once."""
        if self.letters[dead_letter_id]["retried_at"] is not None:
            return False
        parse_event(raw, now=datetime.now(UTC), max_ahead=DOOR_MAX_AHEAD)
        self.sent.append(raw)
        self.letters[dead_letter_id]["retried_at"] = datetime(2026, 1, 15, 2, tzinfo=UTC)
        return True

    async def close(self) -> None:
        """Nothing to close."""


class FakeLists:
    """A Lists that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Wanted] = []
        self.has_too_many = False

    async def line_list(self, wanted: Wanted) -> bytes | None:
        """A line list of nobody."""
        self.asked.append(wanted)
        return None if self.has_too_many else b"\xef\xbb\xbfcase_id\r\n"

    async def counts(self, wanted: Wanted, level: Level) -> bytes:
        """Counts of nothing."""
        self.asked.append(wanted)
        return level.encode()

    async def close(self) -> None:
        """Nothing to close."""


def _sentence(text: str) -> dict[str, Any]:
    return {"text": text, "is_item": False, "parts": [text]}


def _report(cases: int, language: str = "vi") -> Document:
    """A report of one sentence."""
    return {
        "kind": "situation",
        "lang": language,
        "province": "12",
        "from": "2025-12-01",
        "to": "2025-12-31",
        "read_at": "2026-01-02T02:00:00+00:00",
        "title": "BÁO CÁO",
        "subject": "Tình hình bệnh truyền nhiễm",
        "as_of_text": "Số liệu tính đến nay",
        "stamp": "DỮ LIỆU MÔ PHỎNG",
        "issuer": {
            "superior": "SỞ Y TẾ",
            "name": "CDC",
            "place": "Lai Châu",
            "recipients": [],
            "signs": "GIÁM ĐỐC",
        },
        "sections": [
            {
                "key": "opening",
                "title": "Bệnh truyền nhiễm",
                "paragraphs": [_sentence(f"Ghi nhận {cases:02d} trường hợp mắc.")],
            }
        ],
        "footnotes": [{"number": 1, "text": "Không rõ."}],
        "charts": [],
        "annexes": [],
    }


class FakeReports:
    """A ReportDesk that writes one sentence and publishes in memory.

    Attributes:
        asked: Every report asked for.
        fault: What happens instead of writing.
        cases: How many the sentence tells of.
        kept: What was published, the oldest first.
        is_altered: Something has changed what is kept.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.fault: Exception | None = None
        self.cases = 4
        self.kept = [self._snapshot(SNAPSHOT_ID, "Năm 2023", "2023-01-01", "2023-12-31", None)]
        self.is_altered = False

    async def provinces(self, today: date) -> Sequence[tuple[str, str]]:
        """One."""
        return [("12", "Tỉnh Lai Châu")]

    def write(self, asked: Asked) -> Written:
        """One sentence."""
        self.asked.append(asked)
        if self.fault is not None:
            raise self.fault
        files = {form: Printed(form.encode(), "text/plain", f"báo cáo.{form}") for form in ("docx", "md")}
        return Written(_report(self.cases, asked.language), files)

    def publish(self, asked: Asked, label: str, by: str, seen: Document) -> Snapshot:
        """Keep it, unless the figures have changed."""
        if seen != _report(self.cases, asked.language):
            raise RefusedAction("Số liệu đã thay đổi. / The figures have changed.")
        first, last = asked.first.isoformat(), asked.last.isoformat()
        self.kept.append(self._snapshot(uuid4(), label, first, last, by))
        return self.kept[-1]

    async def published(self) -> list[Snapshot]:
        """The newest first."""
        return self.kept[::-1]

    async def read_published(self, snapshot_id: UUID) -> Published | None:
        """One of them."""
        for snapshot in self.kept:
            if snapshot.id == snapshot_id:
                return Published(snapshot, _report(self.cases), not self.is_altered)
        return None

    async def changes(self, since: UUID, until: UUID | None, language: Lang) -> Compared | None:
        """One sentence; nothing can have changed before it was published."""
        known = {snapshot.id: snapshot for snapshot in self.kept}
        if since not in known or (until is not None and until not in known):
            return None
        first, second = known[since], None if until is None else known[until]
        if second is not None and second.taken_at < first.taken_at:
            raise ConfigurationError("Thời điểm sau lại ở trước. / The later instant is before the earlier.")
        text = "Sốt xuất huyết, tháng 7/2023: 03 trường hợp chuyển từ huyện A sang huyện Sìn Hồ."
        end = datetime(2026, 1, 15, tzinfo=UTC) if second is None else second.taken_at
        changes = ChangeReport(first.taken_at, end, [], [Paragraph((text,), is_item=True)], None)
        return Compared(first, second, changes)

    async def close(self) -> None:
        """Nothing to close."""

    def _snapshot(self, key: UUID, label: str, first: str, last: str, by: str | None) -> Snapshot:
        asked = {"province": "12", "from": first, "to": last, "published_by": by}
        at = datetime(2024 if by is None else 2026, 1, 5, 2, tzinfo=UTC)
        return Snapshot(key, at, label, "report", "v", (), Vector(1, {}, {}), asked, "", "ab" * 32)


class FakeImports:
    """An ImportDesk whose imports are real but for Kafka and the database.

    Attributes:
        kafka: What was sent.
        go: Every import waits for it.
        fault: What happens to every import after it has read its file.
        decided: (field, text, code, who) of every decision.
    """

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self.kafka = MemoryKafka(datetime(2030, 1, 1, tzinfo=UTC))
        self.go = threading.Event()
        self.go.set()
        self.fault: Exception | None = None
        self.decided: list[tuple[str, str, str | None, str]] = []
        self._catalogue = catalogue
        self._rows = MemoryRows()
        self._meanings: dict[tuple[str, str], str] = {}
        self._asked: dict[tuple[str, str], Meaning] = {}

    def run(self, plan: ImportPlan, file: InputFile, run: Run[ImportPlan]) -> ImportPlan:
        """Import into memory."""
        assert self._catalogue is not None
        assert self.go.wait(30)
        ports = Ports(
            store=lambda _source, _reads_only: nullcontext(self._rows),
            identities=MemoryIdentities(),
            sender=None if plan.is_preview else self.kafka,
            codes=CodeFinder(self._catalogue, self._meanings) if self._meanings else _codes(self._catalogue),
            catalogue=_judging(self._catalogue),
            twins=MemoryTwins(),
        )

        def progress(rows: int) -> nullcontext[Callable[[int], None]]:
            run.total = rows
            return nullcontext(run.advance)

        run_import(plan, file, ports, progress=progress)
        if self.fault is not None:
            raise self.fault
        for (name, question), rows in plan.outcome.questions().items():
            candidates = [
                [found.code, found.name, found.on and found.on.isoformat()] for found in question.candidates
            ]
            self._asked[name, question.text] = Meaning(
                name, question.text, candidates, rows, datetime(2026, 1, 1, tzinfo=UTC), None, None, None
            )
        return plan

    async def questions(self) -> Sequence[Meaning]:
        """Those that nobody has decided."""
        return [
            meaning
            for key, meaning in self._asked.items()
            if (key[0], meaning_key(key[1])) not in self._meanings
        ]

    async def decide(self, field: Field, text: str, code: str | None, on: date, by: str) -> None:
        """Keep an answer; a code with a letter x in it is none."""
        if code is None or "x" in code:
            raise NoMeaning(f"{code}: không có mã này. / There is no such code.")
        self.decided.append((field, text, code, by))
        self._meanings[field, meaning_key(text)] = code if field == "disease" else f"{code}@2025-07-01"

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class FakeBackOffice:
    """All of them."""

    week: FakeWeek = field(default_factory=FakeWeek)
    dead_letters: FakeDeadLetters = field(default_factory=FakeDeadLetters)
    lists: FakeLists = field(default_factory=FakeLists)
    reports: FakeReports = field(default_factory=FakeReports)
    imports: FakeImports = field(default_factory=FakeImports)

    def ports(self) -> BackOffice:
        """For create_app."""
        return BackOffice(self.week, self.dead_letters, self.lists, self.reports, self.imports)
