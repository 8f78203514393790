"""Any number of random but valid case events, for load tests and for comparison with an independent count.

Not lifelike: within 2023 and 2024 every field that a counter sees is written, overwritten and taken back, so
that few mistakes of a fold stay hidden. `services.demo.generate` has the lifelike histories.
"""

import datetime as dt
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count, islice
from typing import Any, TypeVar

import orjson

from schemas.catalogue import Catalogue

_T = TypeVar("_T")
_Data = dict[str, Any]

_FIRST_DAY = dt.date(2023, 1, 1)
_LAST_DAY = dt.date(2024, 12, 31)
_DAYS = tuple(
    (_FIRST_DAY + dt.timedelta(days=n)).isoformat() for n in range((_LAST_DAY - _FIRST_DAY).days + 1)
)
_DAY_MS = 86_400_000
# Unix milliseconds of the first local midnight.
_EPOCH_MS = int(dt.datetime(2023, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=7))).timestamp()) * 1000
# A case starts on one of these days; five more events, each a pause later at most, end within the two years.
_FIRST_START, _LAST_START, _LONGEST_PAUSE = 30, 650, 15
_EVENTS_PER_CASE = (1, 1, 2, 2, 2, 3, 3, 4, 5, 6)

_RESULTS = ("positive", "negative", "pending", "inconclusive", "not_tested")
_CLASSIFICATIONS = ("suspected", "probable", "confirmed", "confirmed", "discarded", None)
_OUTCOMES = ("in_care", "recovered", "recovered", "transferred", "dead", "unknown", None)


def generate_events(
    n: int,
    seed: int,
    *,
    catalogue: Catalogue,
    provinces: Sequence[str] = ("12",),
    diseases: Sequence[str] | None = None,
) -> Iterator[bytes]:
    """Yield case events as JSON, each identity once, case by case, a case's first report first.

    Now and then the times of a case go back, or are equal (the id decides then). Shuffle or repeat the events
    as the test needs.

    Args:
        n: Number of events, about three per case.
        seed: The same seed and catalogue give the same bytes; other seeds give other subjects.
        catalogue: Where area codes and agents come from.
        provinces: Codes of the structure before 2025-07-01.
        diseases: Codes; default: every disease of the provincial reports.

    Raises:
        ValueError: a province or a disease is not in the catalogue.
    """
    agents = {
        disease.code: disease.agents
        for disease in catalogue.diseases
        if (disease.in_provincial_reports if diseases is None else disease.code in diseases)
    }
    unknown = set(diseases or ()) - agents.keys()
    if unknown:
        raise ValueError(f"not in the catalogue: diseases {', '.join(sorted(unknown))}")
    rng = random.Random(seed)  # noqa: S311 - simulated data, not secrets
    maker = _Maker(rng, _area_codes(catalogue, provinces), agents)
    return islice(chain.from_iterable(maker.case(f"S{seed}-{number:08d}") for number in count(1)), n)


def _area_codes(catalogue: Catalogue, provinces: Sequence[str]) -> tuple[str, ...]:
    """Codes valid throughout both years; about one in twelve is a district or province, the rest communes."""
    by_id = {
        area.id: area
        for area in catalogue.areas
        if (area.valid_from or _FIRST_DAY) <= _FIRST_DAY and (area.valid_to or _LAST_DAY) >= _LAST_DAY
    }
    communes: list[str] = []
    larger: list[str] = []
    for area in by_id.values():
        top = area
        while top.parent_id in by_id:
            top = by_id[top.parent_id]
        if top.kind == "province" and top.code in provinces:
            (communes if area.kind == "commune" else larger).append(area.code)
    missing = set(provinces) - set(larger)
    if missing or not communes:
        raise ValueError(f"not in the catalogue of 2023 and 2024: provinces {', '.join(sorted(missing))}")
    return (*communes * max(1, round(11 * len(larger) / len(communes))), *larger)


class _Maker:
    """Draws cases. Days are indices into the two years, times are milliseconds since their first midnight."""

    def __init__(self, rng: random.Random, areas: Sequence[str], agents: Mapping[str, Sequence[str]]) -> None:
        self._rand = rng.random
        self._bits = rng.getrandbits
        self._areas = areas
        self._agents = agents
        self._diseases = tuple(agents)
        weighted: tuple[tuple[int, Callable[[str, int], _Data]], ...] = (
            (28, self._lab),
            (12, lambda _disease, _day: {"classification": self._pick(_CLASSIFICATIONS)}),
            (10, lambda _disease, _day: {"outcome": self._pick(_OUTCOMES)}),
            (6, self._death),
            (2, lambda _disease, _day: {"died_at": None}),
            (
                4,
                lambda _disease, _day: {
                    "death_due_to": self._pick(("this_disease", "other", "unknown", None))
                },
            ),
            (10, self._move),
            (4, lambda _disease, _day: {"disease": self._pick(self._diseases)}),
            (
                8,
                lambda _disease, day: {
                    "onset_on": self._pick((self._day(day, 40), self._day(day, 400), None))
                },
            ),
            (4, lambda _disease, day: {"reported_on": self._pick((self._day(day, 20), None))}),
            (4, lambda _disease, _day: {"origin": self._pick(("local", "imported", "unknown", None))}),
            (6, lambda _disease, _day: {"hospitalised": self._pick((True, True, False, None))}),
            (2, lambda _disease, _day: {"age_years": int(self._rand() * 90)}),
        )
        self._updates = tuple(update for weight, update in weighted for _ in range(weight))

    def case(self, subject: str) -> Iterator[bytes]:
        """All events of one case."""
        rand = self._rand
        disease = self._pick(self._diseases)
        time = int((_FIRST_START + rand() * (_LAST_START - _FIRST_START)) * _DAY_MS)
        yield self._event(subject, "reported", time, self._report(disease, time // _DAY_MS))
        for _ in range(self._pick(_EVENTS_PER_CASE) - 1):
            chance = rand()
            if chance < 0.04:
                time -= int(rand() * 3 * _DAY_MS)
            elif chance > 0.08:  # else in the same millisecond
                time += int(rand() * _LONGEST_PAUSE * _DAY_MS)
            day = time // _DAY_MS
            chance = rand()
            if chance < 0.08:
                yield self._event(subject, "retracted", time, {"reason": "entered_in_error"})
            elif chance < 0.13:
                yield self._event(subject, "reported", time, self._report(disease, day))
            else:
                yield self._event(subject, "updated", time, self._pick(self._updates)(disease, day))

    def _pick(self, values: Sequence[_T]) -> _T:
        # Several times faster than random.choice, and as even as a load test needs.
        return values[int(self._rand() * len(values))]

    def _day(self, latest: int, span: int) -> str:
        """A date up to `span` days before a day, which it is on at the latest."""
        return _DAYS[max(0, latest - int(self._rand() * span))]

    def _report(self, disease: str, day: int) -> _Data:
        data: _Data = {"disease": disease, "area_code": self._pick(self._areas)}
        if self._rand() < 0.8:
            data["onset_on"] = self._day(day, 12)
        if self._rand() < 0.5:
            data["reported_on"] = _DAYS[day]
        if self._rand() < 0.3:
            data["lab"] = {self._pick(self._agents[disease]): self._pick(_RESULTS)}
        if self._rand() < 0.2:
            data["origin"] = "imported" if self._rand() < 0.5 else "local"
        data["sex"] = "male" if self._rand() < 0.5 else "female"
        return data

    def _lab(self, disease: str, _day: int) -> _Data:
        return {"lab": {self._pick(self._agents[disease]): self._pick(_RESULTS)}}

    def _move(self, _disease: str, day: int) -> _Data:
        data: _Data = {"area_code": self._pick(self._areas)}
        if self._rand() < 0.3:
            data["area_on"] = _DAYS[day]
        return data

    def _death(self, _disease: str, day: int) -> _Data:
        """With a day, with an instant that is another day in UTC, or without either."""
        chance = self._rand()
        if chance < 0.4:
            return {"died_at": self._day(day, 3)}
        if chance < 0.8:
            return {
                "died_at": f"{_DAYS[max(0, day - 2)]}T{int(self._rand() * 24):02d}:30:00Z",
                "outcome": "dead",
            }
        return {"outcome": "dead"}

    def _event(self, subject: str, kind: str, time: int, data: _Data) -> bytes:
        day, rest = divmod(time, _DAY_MS)
        minutes, milliseconds = divmod(rest, 60_000)
        # A version 7 UUID of the event's time; the random bits order events of one millisecond.
        random_bits = self._bits(12) << 64 | self._bits(62)
        digits = f"{(_EPOCH_MS + time) << 80 | 0x7 << 76 | 0b10 << 62 | random_bits:032x}"
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",
                "source": "/facilities/LC-TTYT-105",
                "type": f"vn.canhdich.case.{kind}.v1",
                "subject": subject,
                "time": (
                    f"{_DAYS[day]}T{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds / 1000:06.3f}+07:00"
                ),
                "data": data,
            }
        )
