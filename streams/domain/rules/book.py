"""The rules in force as one immutable version: the law's, the CDC's own, and how open words are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast

from streams.domain.rules.verdicts import Level

Kind = Literal[
    "group_a_confirmed",
    "weekly_band",
    "monthly_band",
    "weekly_linked",
    "monthly_linked",
    "monthly_mean",
    "outbreak_areas",
    "entered_by_person",
    "group_a_guidance",
    "group_a_guidance_end",
    "month_end",
    "quiet_days_end",
    "responder",
    "death_clock",
    "notice_clock",
    "cases_in_window",
    "rate_in_window",
    "change_on_last_year",
    "any_case",
    "any_death",
    "any_imported",
    "lab_pending",
    "silent_reporter",
]
AreaLevel = Literal["commune", "district", "province"]
Group = Literal["A", "B", "C"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, one row.

    Attributes:
        area: The kind of area that it judges.
        valid_from, valid_to: First and last day on which it judges; None is open.
        numbers: The numbers of its criterion; which ones depends on the kind.
        diseases, groups, endemic: Whom it is for; None is everyone.
    """

    id: str
    kind: Kind
    area: AreaLevel
    level: Level
    valid_from: date | None
    valid_to: date | None
    citation: str
    name_vi: str
    name_en: str
    numbers: Mapping[str, int]
    diseases: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    endemic: bool | None = None

    def is_in_force(self, day: date) -> bool:
        """Whether it judges on a day."""
        return _holds(self.valid_from, self.valid_to, day)


@dataclass(frozen=True, slots=True)
class Settings:
    """How words that the law leaves open are read; docs/rules.md has a sentence on each."""

    history_years: int = 5
    usable_years: int = 3
    endemic_years: int = 3
    look_further_back: bool = False
    further_back_years: int = 5
    ending: Literal["calendar_month", "rolling_30_days"] = "calendar_month"
    ending_months: int = 12
    week_53: Literal["week_52", "none"] = "week_52"
    verify_link_cases: int = 3
    late_days: int = 28
    group_a_days: int = 28
    district_death_days: int = 30
    detector_cases: int = 3


@dataclass(frozen=True, slots=True)
class GroupPeriod:
    """The legal group of a disease from one day to another, both included."""

    valid_from: date
    valid_to: date | None
    group: Group


@dataclass(frozen=True, slots=True)
class DiseaseFacts:
    """What the rules must know of a disease.

    Attributes:
        endemic_provinces: Province id -> whether it is endemic there, where that differs from the default.
        digest_only_severities: Cases of these severities alone never alert one by one.
    """

    code: str
    name_vi: str
    name_en: str
    groups: tuple[GroupPeriod, ...]
    is_endemic_by_default: bool
    endemic_provinces: Mapping[str, bool]
    is_digest_only: bool
    digest_only_severities: frozenset[str]

    def group_on(self, day: date) -> Group | None:
        """The legal group on a day; None where it had none."""
        for period in self.groups:
            if _holds(period.valid_from, period.valid_to, day):
                return period.group
        return None

    def is_endemic_in(self, province_id: str) -> bool:
        """The catalogue's flag for a province."""
        return self.endemic_provinces.get(province_id, self.is_endemic_by_default)


@dataclass(frozen=True, slots=True)
class Guidance:
    """What the Department for Disease Prevention (Cục Phòng bệnh) says of a group A disease.

    `quiet_days` is None where it does not say when an outbreak ends.
    """

    disease: str
    valid_from: date
    valid_to: date | None
    outbreak_cases: int
    quiet_days: int | None
    citation: str


@dataclass(frozen=True, slots=True)
class QuietDays:
    """After how many days without a new case an outbreak ended by QĐ 02/2016."""

    disease: str
    valid_from: date | None
    valid_to: date | None
    days: int
    citation: str


@dataclass(frozen=True, slots=True)
class RuleBook:
    """One loaded version of all rules; `version` is a hash of the content."""

    load_id: int
    version: str
    rules: tuple[Rule, ...]
    settings: Settings
    diseases: Mapping[str, DiseaseFacts]
    endemic_communes: Mapping[tuple[str, str], bool]
    """(disease, area id) -> what the operator says, whatever the catalogue and the history say."""
    guidance: tuple[Guidance, ...]
    quiet_days: tuple[QuietDays, ...]

    def guidance_on(self, disease: str, day: date) -> Guidance | None:
        """The guidance for a group A disease on a day."""
        for guidance in self.guidance:
            if guidance.disease == disease and _holds(guidance.valid_from, guidance.valid_to, day):
                return guidance
        return None

    def quiet_days_on(self, disease: str, day: date) -> QuietDays | None:
        """How long the annex wants an outbreak to be quiet before its end, on a day."""
        for quiet in self.quiet_days:
            if quiet.disease == disease and _holds(quiet.valid_from, quiet.valid_to, day):
                return quiet
        return None


def _holds(valid_from: date | None, valid_to: date | None, day: date) -> bool:
    return (valid_from is None or valid_from <= day) and (valid_to is None or day <= valid_to)


def book_from(load_id: int, version: str, content: Mapping[str, Any]) -> RuleBook:
    """A rule book from its stored content: what schemas.catalogue.rules made of the files."""
    return RuleBook(
        load_id=load_id,
        version=version,
        rules=tuple(_rule(row) for row in content["rules"]),
        settings=Settings(**content["settings"]),
        diseases={row["code"]: _disease(row) for row in content["diseases"]},
        endemic_communes={(row["disease"], row["area_id"]): row["is_endemic"] for row in content["endemic"]},
        guidance=tuple(
            Guidance(
                row["disease"],
                date.fromisoformat(row["valid_from"]),
                _day(row["valid_to"]),
                row["outbreak_cases"],
                row["quiet_days"],
                row["citation"],
            )
            for row in content["guidance"]
        ),
        quiet_days=tuple(
            QuietDays(
                row["disease"], _day(row["valid_from"]), _day(row["valid_to"]), row["days"], row["citation"]
            )
            for row in content["quiet_days"]
        ),
    )


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        id=row["id"],
        kind=cast(Kind, row["kind"]),
        area=cast(AreaLevel, row["area"]),
        level=Level(row["level"]),
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        citation=row["citation"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        numbers=row["numbers"],
        diseases=_set(row["diseases"]),
        groups=_set(row["groups"]),
        endemic=row["endemic"],
    )


def _disease(row: Mapping[str, Any]) -> DiseaseFacts:
    return DiseaseFacts(
        code=row["code"],
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        groups=tuple(
            GroupPeriod(date.fromisoformat(g["valid_from"]), _day(g["valid_to"]), g["group"])
            for g in row["groups"]
        ),
        is_endemic_by_default=row["is_endemic_by_default"],
        endemic_provinces=row["endemic_provinces"],
        is_digest_only=row["is_digest_only"],
        digest_only_severities=frozenset(row["digest_only_severities"]),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
