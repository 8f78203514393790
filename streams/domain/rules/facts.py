"""What is known of one disease in one area, as the rules need it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from streams.domain.calendar import LOCAL_ZONE, Period, day_of, instant
from streams.domain.case import FIRST_EVENT, Case
from streams.domain.counts import FLAG


@dataclass(frozen=True, slots=True)
class CaseFact:
    """One case that counts as notified, discarded ones included.

    Attributes:
        onset_day: Of onset, else of the report.
        confirmed_on: For a confirmed case: `diagnosed_at`; else the day on which it was confirmed; the
            report day of a case that arrived confirmed.
        is_death: Counts as a death of this disease.
        death_day: None where the day is not known.
        died_at: The instant, where it is known.
        sampled_on: Of the specimen, else the report day.
    """

    onset_day: date
    report_day: date
    classification: str
    confirmed_on: date | None = None
    is_imported: bool = False
    cluster: str | None = None
    severity: str | None = None
    is_death: bool = False
    death_day: date | None = None
    died_at: datetime | None = None
    is_pending: bool = False
    sampled_on: date | None = None

    @property
    def counts(self) -> bool:
        """Whether rules count it: suspected, probable or confirmed."""
        return self.classification != "discarded"


def case_fact(case: Case) -> CaseFact | None:
    """A case as the rules see it; None when it does not count at all (retracted, parked, for the tallies)."""
    c = case.contribution
    if c is None:
        return None
    classification = case.value("classification")
    died_at = case.value("died_at")
    sampled_on = case.value("sampled_on")
    return CaseFact(
        onset_day=date.fromisoformat(c.onset_day),
        report_day=date.fromisoformat(c.report_day),
        classification=classification,
        confirmed_on=_confirmed_on(case, c.report_day) if classification == "confirmed" else None,
        is_imported=bool(c.flags & FLAG["imported"]),
        cluster=case.value("cluster"),
        severity=case.value("severity"),
        is_death=bool(c.flags & FLAG["deaths"]),
        death_day=None if c.death_day is None else date.fromisoformat(c.death_day),
        died_at=datetime.fromisoformat(died_at) if died_at is not None and len(died_at) > 10 else None,
        is_pending=bool(c.flags & FLAG["pending"]),
        sampled_on=None if sampled_on is None else date.fromisoformat(sampled_on),
    )


def _confirmed_on(case: Case, report_day: str) -> date:
    diagnosed_at = case.value("diagnosed_at")
    if diagnosed_at is not None:
        return date.fromisoformat(day_of(diagnosed_at))
    stamp, _ = case.registers["classification"]
    written_on = instant(int(stamp[:16], 16)).astimezone(LOCAL_ZONE).date()
    # A line list of the past is written years after: a case that arrived confirmed was so when reported.
    if written_on.isoformat() == case.value(FIRST_EVENT):
        return date.fromisoformat(report_day)
    return written_on


@dataclass(frozen=True, slots=True)
class Notice:
    """A declared "có dịch" (and "hết dịch"): entered by a person, never by the system.

    The days are None where only the year is known.
    """

    year: int
    started_on: date | None = None
    ended_on: date | None = None

    def is_open_on(self, day: date) -> bool:
        """Whether it was declared by then, and not ended."""
        return (
            self.started_on is not None
            and self.started_on <= day
            and (self.ended_on is None or day < self.ended_on)
        )


@dataclass(frozen=True, slots=True)
class JudgedArea:
    """The area that is asked about.

    Attributes:
        parts: How many areas its history is the sum of (itself and those merged into it).
        is_approximate: Some of them were split, and went as a whole to one side.
    """

    id: str
    kind: Literal["province", "district", "surveillance", "commune"]
    name_vi: str
    province_id: str
    parts: int = 1
    is_approximate: bool = False

    @property
    def is_reconstructed(self) -> bool:
        """Whether its history is not its own alone."""
        return self.parts > 1 or self.is_approximate


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known; absent days hold no case.

    Attributes:
        cases: Of the area, of the months that the rules look at.
        by_onset: Day of onset -> cases not discarded, of the area, over all years.
        known_from: First day of the province's records; None: there are none. A period that ended before
            it is not known, which is not zero.
        notices: Declared outbreaks of this disease here.
        communes: For a district or province: its communes that had cases.
        district_deaths: Days of death of this disease in the commune's district; None where there is none.
        population: None where it is not loaded.
        silent_reporters: Days -> codes of those silent for longer; absent where nobody watches reporters.
    """

    cases: Sequence[CaseFact] = ()
    by_onset: Mapping[date, int] = field(default_factory=dict)
    known_from: date | None = None
    notices: Sequence[Notice] = ()
    communes: Sequence["CommuneFacts"] = ()
    district_deaths: Sequence[date] | None = None
    population: int | None = None
    silent_reporters: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def in_period(self, period: Period) -> int:
        """Cases not discarded by day of onset."""
        return sum(count for day, count in self.by_onset.items() if day in period)

    def is_known(self, period: Period) -> bool:
        """Whether the records reach into a period."""
        return self.known_from is not None and self.known_from <= period.last

    def outbreak_years(self) -> frozenset[int]:
        """Years with a declared outbreak here."""
        return frozenset(notice.year for notice in self.notices)


@dataclass(frozen=True, slots=True)
class CommuneFacts:
    """A commune within the district or province asked about: cases and confirmed cases by day of onset."""

    commune_id: str
    district_id: str | None
    by_onset: Mapping[date, int]
    confirmed_by_onset: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Tally:
    """Cases of a period as a rule counts them, and what stands beside."""

    cases: int
    local: int
    imported: int
    discarded: int
    on_time: int
    """Of the cases, those reported by the end of the period."""

    def numbers(self) -> dict[str, int]:
        """For the verdict."""
        return {
            "cases": self.cases,
            "local": self.local,
            "imported": self.imported,
            "discarded": self.discarded,
        }


def tally(cases: Iterable[CaseFact], period_end: date) -> Tally:
    """Count cases; `local` is what is not known to be imported."""
    listed = list(cases)
    counted = [case for case in listed if case.counts]
    imported = sum(case.is_imported for case in counted)
    return Tally(
        cases=len(counted),
        local=len(counted) - imported,
        imported=imported,
        discarded=len(listed) - len(counted),
        on_time=sum(case.report_day <= period_end for case in counted),
    )


def largest_cluster(cases: Iterable[CaseFact]) -> tuple[str | None, int]:
    """The cluster with most counted cases (of several the first by name) and its size; (None, 0) for none."""
    sizes = Counter(case.cluster for case in cases if case.counts and case.cluster is not None)
    if not sizes:
        return None, 0
    name = min(sizes, key=lambda cluster: (-sizes[cluster], cluster))
    return name, sizes[name]
