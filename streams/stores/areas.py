"""What codes mean and meant, and the events that wait because theirs mean nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.areas import Area, AreaIndex, similar_codes
from streams.domain.geography import Placement


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An area before or after another one, and how much of it is in it: whole, part or assumed."""

    area: Area
    kind: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code meant in one period.

    Attributes:
        area: The area of that period.
        predecessors: What it was made of.
        successors: What it became.
        places: Where its cases are shown in every structure of areas, oldest first.
    """

    area: Area
    predecessors: Sequence[Neighbour]
    successors: Sequence[Neighbour]
    places: Sequence[Placement]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An area (or a disease) that an unknown code may stand for; `why` in Vietnamese and English."""

    code: str
    name: str
    why_vi: str
    why_en: str


@dataclass(frozen=True, slots=True)
class ParkedCode:
    """A code that the catalogue does not know, and the events that wait for it.

    Attributes:
        reason: unknown_area or unknown_disease.
        code: As it was sent.
        events: How many wait.
        kinds: Of which kinds they are: case, tally, focus.
        first_on: First day for which the code was meant (ISO).
        last_on: Last day.
        waiting_since: When the first of them became known.
        subject: One of them.
        candidates: What may have been meant, the likeliest first.
    """

    reason: str
    code: str
    events: int
    kinds: Sequence[str]
    first_on: str
    last_on: str
    waiting_since: datetime
    subject: str
    candidates: Sequence[Candidate]


class Atlas:
    """All areas of the catalogue in force, with their links."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        self._connection = connection
        self.index = AreaIndex(Area(*row) for row in connection.execute(query("catalogue_areas")))
        self._after: dict[str, list[tuple[str, str, bool]]] = {}
        self._before: dict[str, list[tuple[str, str, bool]]] = {}
        for from_id, to_id, kind, is_default in connection.execute(query("area_links")):
            self._after.setdefault(from_id, []).append((to_id, kind, is_default))
            self._before.setdefault(to_id, []).append((from_id, kind, is_default))

    def meanings(self, code: str) -> list[Meaning]:
        """Everything that a code ever meant, oldest first; empty where it never meant anything."""
        areas = self.index.of_code(code)
        rows = self._connection.execute(query("area_places"), {"area_ids": [area.id for area in areas]})
        places = [Placement(*row) for row in rows]
        return [
            Meaning(
                area,
                self._neighbours(self._before, area),
                self._neighbours(self._after, area),
                [place for place in places if place.area_id == area.id],
            )
            for area in areas
        ]

    def on(self, area: Area, day: str) -> list[Area]:
        """The areas of a day that an area became or was made of, default ones first."""
        if area.is_valid_on(day):
            return [area]
        links = self._after if area.valid_to is not None and area.valid_to < day else self._before
        found: dict[str, Area] = {}
        for neighbour in self._neighbours(links, area):
            found.update((other.id, other) for other in self.on(neighbour.area, day))
        return list(found.values())

    def candidates(self, code: str, day: str) -> list[Candidate]:
        """What may have been meant by a code that meant nothing on a day, the likeliest first."""
        found: dict[str, Candidate] = {}
        for area in self.index.of_code(code):
            period = f"{area.valid_from or '…'} – {area.valid_to or '…'}"
            for other in self.on(area, day):
                if other.kind != "surveillance" and other.id != area.id:
                    found.setdefault(
                        other.id,
                        Candidate(
                            other.code,
                            other.name_vi,
                            f"{code} là {area.name_vi} ({period}); ngày {day} là đơn vị này",
                            f"{code} is {area.name_vi} ({period}); on {day} that is this area",
                        ),
                    )
            if area.kind == "surveillance":
                found[area.id] = Candidate(
                    code,
                    area.name_vi,
                    "khu vực giám sát không phải mã hành chính: ghi mã xã/phường",
                    "a surveillance area is no official code: give the commune's",
                )
        for area in similar_codes(self.index, code, day):
            found.setdefault(
                area.id, Candidate(area.code, area.name_vi, "mã gần giống", "the code looks like it")
            )
        return list(found.values())

    def _neighbours(self, links: dict[str, list[tuple[str, str, bool]]], area: Area) -> list[Neighbour]:
        found = [
            Neighbour(self.index[other_id], kind, is_default)
            for other_id, kind, is_default in links.get(area.id, ())
        ]
        return sorted(found, key=lambda neighbour: (not neighbour.is_default, neighbour.area.id))


def read_parked_codes(connection: Connection[TupleRow]) -> list[ParkedCode]:
    """The codes for which events wait, those of most events first, each with what may have been meant."""
    rows = connection.execute(query("parked_codes")).fetchall()
    if not rows:
        return []
    atlas = Atlas(connection)
    diseases: dict[str, str] = dict(connection.execute(query("disease_names")).fetchall())
    return [
        ParkedCode(
            reason,
            code,
            events,
            kinds,
            first_on,
            last_on,
            waiting_since,
            subject,
            atlas.candidates(code, last_on)
            if reason == "unknown_area"
            else _similar_diseases(code, diseases),
        )
        for reason, code, events, kinds, first_on, last_on, waiting_since, subject in rows
    ]


def _similar_diseases(code: str, diseases: dict[str, str]) -> list[Candidate]:
    return [
        Candidate(match, diseases[match], "mã gần giống", "the code looks like it")
        for match in get_close_matches(code, diseases, n=3, cutoff=0.6)
    ]
