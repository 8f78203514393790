"""What is known: for which days the cases of a disease in a place were reported, also where there were none.

A tally of zero is a report; silence is not. A day of a place is known

- by tallies of `cases`: those that count, and those of zero, cover the whole place on that day;
- by case reports: from the day on which they count by the catalogue (`case_reports_since`); where it says
  nothing, in the whole of each calendar year in which the province reported a case of the disease.

Nothing is known of days that are yet to come.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from streams.domain.calendar import Period
from streams.domain.tally_cover import Claim, Place, finest_cover, joined

_DAY = timedelta(days=1)

DiseaseAndProvince = tuple[str, str]
"""(disease, province id)."""


@dataclass(frozen=True, slots=True)
class ProvincePart:
    """What of a place lies in one province of its time; days are the first and the last of its validity."""

    province_id: str
    valid_from: date | None
    valid_to: date | None
    roots: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of one place.

    Attributes:
        place: The place, with the areas in it.
        parts: The same, province by province.
        until: The last day of which anything can be known.
        since: First day from which case reports count, where the catalogue gives one.
        case_years: Calendar years in which a province reported at least one case of a disease.
        claims: Per disease the tallies of `cases` that count or say zero.
    """

    place: Place
    parts: Sequence[ProvincePart]
    until: date
    since: Mapping[DiseaseAndProvince, date]
    case_years: Mapping[DiseaseAndProvince, Collection[int]]
    claims: Mapping[str, Sequence[Claim]]

    def gaps(self, disease: str, first: date, last: date) -> list[Period]:
        """The days of a period that are not known, oldest first; empty where all of it is."""
        period = Period(first, last)
        claims = self.claims.get(disease, ())
        if not self.parts:
            return [period]
        gaps: list[Period] = []
        for part in self.parts:
            span = _clipped(period, part.valid_from, part.valid_to)
            if span is not None:
                known = [*self._by_case_reports(disease, part), *finest_cover(part.roots, claims, span).known]
                gaps += _without([span], known)
        # A tally of the whole place knows of all of its parts at once.
        return _without(joined(gaps), finest_cover([self.place], claims, period).known)

    def is_known(self, disease: str, first: date, last: date) -> bool:
        """Whether every day of a period is known."""
        return not self.gaps(disease, first, last)

    def known(self, disease: str) -> list[Period]:
        """All days that are known, oldest first."""
        starts = [period.first for part in self.parts for period in self._by_case_reports(disease, part)]
        starts += [claim.first for claim in self.claims.get(disease, ())]
        ends = [self.until, *(claim.last for claim in self.claims.get(disease, ()))]
        if not starts:
            return []
        everything = Period(min(starts), max(ends))
        return _without([everything], self.gaps(disease, everything.first, everything.last))

    def _by_case_reports(self, disease: str, part: ProvincePart) -> list[Period]:
        since = self.since.get((disease, part.province_id))
        if since is not None:
            return [Period(since, self.until)] if since <= self.until else []
        years = self.case_years.get((disease, part.province_id), ())
        found = (_clipped(Period(date(year, 1, 1), date(year, 12, 31)), None, self.until) for year in years)
        return [period for period in found if period is not None]


def _clipped(period: Period, first: date | None, last: date | None) -> Period | None:
    """The days of a period within bounds; None where there are none."""
    start = period.first if first is None else max(period.first, first)
    end = period.last if last is None else min(period.last, last)
    return Period(start, end) if start <= end else None


def _without(periods: Iterable[Period], taken: Iterable[Period]) -> list[Period]:
    """What is left of periods, which do not overlap, when others are taken away."""
    left: list[Period] = []
    away = joined(taken)
    for period in periods:
        start = period.first
        for other in away:
            if other.last < start or other.first > period.last:
                continue
            if other.first > start:
                left.append(Period(start, other.first - _DAY))
            start = other.last + _DAY
        if start <= period.last:
            left.append(Period(start, period.last))
    return left
