"""Hand-written fake of the pages' CaseBook, held to the laws of the real one by tests/integration/intake."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from schemas.catalogue import Catalogue
from schemas.events import STREAM_MAX_AHEAD, Event, parse_event
from services.importing.national import SUBJECT_PREFIX
from services.intake.staff.case_book import found_case
from services.intake.staff.ports import CaseSearch, FoundCase
from services.intake.staff.vocabulary import Vocabulary
from streams.domain.areas import code_of
from streams.domain.calendar import microseconds
from streams.domain.case import AREA, Case, contribution_of, state_of
from streams.domain.errors import DependencyDown
from streams.domain.judging import Parked, judge, kind_of
from streams.stores.cases import ShownCase
from tests.builders import judged_by


@dataclass
class _Known:
    case: Case
    rows: list[dict[str, Any]]
    is_folded: bool = False


class FakeCaseBook:
    """A CaseBook that folds what Kafka has.

    Attributes:
        is_behind: The stream has not folded anything yet.
        is_down: Every question about cases fails.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        records: Callable[[], Sequence[bytes]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._vocabulary = Vocabulary(catalogue)
        self._catalogue = judged_by(catalogue)
        self._records = records
        self._clock = clock
        self.is_behind = False
        self.is_down = False

    async def vocabulary(self) -> Vocabulary:
        """The catalogue given."""
        return self._vocabulary

    async def read(self, subject: str) -> ShownCase | None:
        """A case as the stream would have folded it."""
        known = self._cases().get(subject)
        if known is None:
            return None
        if not known.is_folded:
            return ShownCase(None, known.rows)
        state = state_of(known.case)
        if AREA in state:
            state["area_code"] = code_of(state[AREA])
        state["counts"] = contribution_of(known.case, self._catalogue) is not None
        return ShownCase(state, known.rows)

    async def find(self, search: CaseSearch, most: int, skip: int) -> Sequence[FoundCase]:
        """Looks at every case."""
        cases = {subject: known.case for subject, known in self._cases().items() if known.is_folded}
        named = {
            subject: case
            for subject, case in cases.items()
            if search.text
            and subject.startswith((search.text, SUBJECT_PREFIX + search.text))
            and search.disease in (None, case.value("disease"))
            and (search.area_codes is None or self._lies_in(case.value(AREA), search.area_codes))
        }
        if named:
            return [self._found(subject, named[subject]) for subject in sorted(named)][skip : skip + most]
        hits = []
        for subject, case in cases.items():
            stands = contribution_of(case, self._catalogue)
            if stands is None or search.disease not in (None, stands.disease):
                continue
            day = stands.onset_day if search.by_onset else stands.report_day
            others = (case.value("external_ids") or {}).values()
            if (
                search.first.isoformat() <= day <= search.last.isoformat()
                and (not search.text or search.text in others)
                and (search.area_codes is None or self._lies_in(stands.area_id, search.area_codes))
            ):
                hits.append((day, subject))
        hits.sort(key=lambda hit: hit[1])
        hits.sort(key=lambda hit: hit[0], reverse=True)
        return [self._found(subject, cases[subject]) for _, subject in hits][skip : skip + most]

    async def close(self) -> None:
        """Nothing is held."""

    def _cases(self) -> dict[str, _Known]:
        if self.is_down:
            raise DependencyDown("the fake database is down")
        cases: dict[str, _Known] = {}
        seen = set()
        for raw in [] if self.is_behind else self._records():
            event = parse_event(raw, now=self._clock(), max_ahead=STREAM_MAX_AHEAD)
            if (event.subject, event.id) not in seen:
                seen.add((event.subject, event.id))
                known = cases.setdefault(event.subject, _Known(Case(), []))
                self._fold(known, event)
        return cases

    def _fold(self, known: _Known, event: Event) -> None:
        data = orjson.loads(orjson.dumps(event.data))
        kind = kind_of(event.type)
        judged, area_id = judge(
            kind, event.subject, event.id, microseconds(event.time), data, self._catalogue
        )
        if not isinstance(judged, Parked):
            known.case.apply(judged)
            known.is_folded = True
        known.rows.append(
            {
                "event_id": event.id,
                "event_type": event.type,
                "event_time": event.time,
                "known_at": self._clock(),
                "source": event.source,
                "data": data,
                "area_id": area_id,
                "parked_reason": judged.reason if isinstance(judged, Parked) else None,
            }
        )

    def _lies_in(self, area_id: str | None, codes: Sequence[str]) -> bool:
        if area_id is None:
            return False
        area = self._catalogue.areas[area_id]
        around = {area.code, code_of(area.province_id), code_of(area.district_id or "")}
        return not around.isdisjoint(codes)

    def _found(self, subject: str, case: Case) -> FoundCase:
        return found_case(subject, case, contribution_of(case, self._catalogue) is not None)
