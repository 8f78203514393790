"""What the catalogue holds: diseases, areas with their dates, links between areas, legal rules.

Plain frozen dataclasses for the rest of the system; the loader enforces the limits in their annotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^\S(.*\S)?$")]
AreaId = Annotated[str, Field(pattern=r"^(\d{2}|\d{3}|\d{5})@(start|\d{4}-\d{2}-\d{2})$")]

# Numbers and flags of a CSV file are text there, so these alone are converted.
Flag = Annotated[bool, Field(strict=False)]

# Unknown keys and values of another type are refused when a class is filled from a file.
_strict = with_config(ConfigDict(extra="forbid", strict=True))

AreaKind = Literal["province", "district", "commune", "surveillance"]


@_strict
@dataclass(frozen=True, slots=True)
class Statement:
    """A fact as its source puts it, for people to read.

    Attributes:
        text: The fact; None where no source was found.
        sources: Keys of the `sources` table; "GK" (general knowledge) means nobody has verified it.
        remark: What to know about the source.
    """

    text: Text | None
    sources: tuple[str, ...]
    remark: Text | None = None


@_strict
@dataclass(frozen=True, slots=True)
class GroupPeriod:
    """The legal group (A, B or C) of a disease from one day to another, both included.

    `valid_from` is never open: before it the disease had no group by the laws that the catalogue knows.
    """

    valid_from: date
    valid_to: date | None
    group: Literal["A", "B", "C"]
    sources: tuple[str, ...]
    remark: Text | None = None


@_strict
@dataclass(frozen=True, slots=True)
class Deadline:
    """How soon a case has to be notified, from one day to another, both included.

    Attributes:
        valid_from: None: since before our records.
        valid_to: None: still in force.
        code: `24h` and `48h` run from the diagnosis; `weekly` and `monthly` are lists; `none`: no report.
        text: The deadline as the source puts it.
    """

    valid_from: date | None
    valid_to: date | None
    code: Literal["24h", "48h", "weekly", "monthly", "none"]
    text: Text
    sources: tuple[str, ...]


@_strict
@dataclass(frozen=True, slots=True)
class EndemicOverride:
    """Whether a disease is endemic in one province, where that differs from the default."""

    province_id: AreaId
    endemic: bool
    sources: tuple[str, ...]
    remark: Text | None = None


@_strict
@dataclass(frozen=True, slots=True)
class Endemic:
    """Whether a disease is endemic: a default for every province, and the provinces that differ."""

    default: bool
    sources: tuple[str, ...]
    provinces: tuple[EndemicOverride, ...] = ()


@_strict
@dataclass(frozen=True, slots=True)
class Agent:
    """Something a laboratory can find. A disease's own agent has the disease's code."""

    code: Code
    name_vi: Text
    name_en: Text


@_strict
@dataclass(frozen=True, slots=True)
class Disease:
    """One entry of the disease list; its code is never renamed.

    Attributes:
        report_label_vi: What the department's report prints; it holds the word "Bệnh" where one belongs.
        aliases_vi: Other spellings accepted on input, not shown.
        agents: Codes a laboratory may report for this disease; its own (the disease's code) comes first.
        resolves_to: For a syndrome: agent code → code of the disease that a positive result makes of it.
        digest_only: Never alerted on case by case; only in the periodic digest.
        digest_only_severities: As digest_only, for cases of these severities.
        severities: Values of a case's `severity` that are known for this disease; others are text.
        exposure_indicator: The tally that counts exposures beside the cases (rabies: `pep_started`).
    """

    code: Code
    name_vi: Text
    name_en: Text
    report_label_vi: Text
    aliases_vi: tuple[Text, ...]
    agents: tuple[Code, ...]
    resolves_to: dict[Code, Code]
    icd10: tuple[Annotated[str, Field(pattern=r"^[A-Z]\d{2}(\.\d)?$")], ...]
    icd10_sources: tuple[str, ...]
    group_history: tuple[GroupPeriod, ...]
    deadlines: tuple[Deadline, ...]
    alert_rule: Code
    endemic: Endemic
    digest_only: bool
    digest_only_severities: tuple[Text, ...]
    severities: tuple[Text, ...]
    subtypes: tuple[Text, ...]
    classifications: Text
    incubation_days: Statement
    outbreak_rule: Statement
    focus_closure: Statement
    in_provincial_reports: bool
    exposure_indicator: Code | None = None
    notes: Text | None = None


@_strict
@dataclass(frozen=True, slots=True)
class Area:
    """An administrative unit, or a surveillance area, in one period of its life.

    Attributes:
        id: `<code>@start` or `<code>@<valid_from>`; codes are used again after 2025-07-01, ids are not.
        code: Official code as text, zeros kept: 2 digits province, 3 district, 5 commune; a surveillance area
            has the code of the former district it is named after.
        name_vi: With its type: "Xã Bình Lư", "Thành phố Lai Châu".
        parent_id: None for a province.
        valid_from: First day; None: since before our records.
        valid_to: Last day, included; None: still valid.
        latitude: Degrees north of a point near the centre.
        longitude: Degrees east of it.
        area_km2: Known for communes after the reform only.
        surveillance_id: The surveillance area of a commune after the reform, else None.
    """

    id: AreaId
    code: Annotated[str, Field(pattern=r"^(\d{2}|\d{3}|\d{5})$")]
    kind: AreaKind
    name_vi: Annotated[str, Field(min_length=1, max_length=120)]
    parent_id: AreaId | None
    valid_from: date | None
    valid_to: date | None
    latitude: Annotated[float, Field(ge=6, le=24, strict=False)] | None
    longitude: Annotated[float, Field(ge=102, le=118, strict=False)] | None
    area_km2: Annotated[float, Field(gt=0, le=20_000, strict=False)] | None
    surveillance_id: AreaId | None = None


@_strict
@dataclass(frozen=True, slots=True)
class AreaLink:
    """Where an area of one structure lies in the next one.

    Attributes:
        kind: `whole`: all of it lies there; `part`: it was split; `assumed`: one area took it over, this is
            the likeliest or one of the likely ones, nobody has verified it.
        is_default: The target that takes a case of which no more than the old area is known.
    """

    from_id: AreaId
    to_id: AreaId
    kind: Literal["whole", "part", "assumed"]
    is_default: Flag


@_strict
@dataclass(frozen=True, slots=True)
class SurveillanceShare:
    """Why a commune stands in its surveillance area.

    Attributes:
        district_id: The former district that gave most of its old communes, by default also the one that the
            surveillance area is named after; None for a commune that came later.
        share: Part of its old communes that came from that former district (or surveillance area), 0 to 1.
        tie: Another district gave as many; the one that gave more land was taken.
    """

    commune_id: AreaId
    surveillance_id: AreaId
    district_id: AreaId | None
    share: Annotated[float, Field(gt=0, le=1, strict=False)]
    tie: Flag


@_strict
@dataclass(frozen=True, slots=True)
class CaseReportsSince:
    """From this day on a province's cases of a disease are counted from case reports, not from tallies."""

    disease: Code
    province_code: Annotated[str, Field(pattern=r"^\d{2}$")]
    since: date


@_strict
@dataclass(frozen=True, slots=True)
class LegalRule:
    """A family of official alert criteria as the law words it; computed by the rules themselves, not here."""

    code: Code
    valid_from: date | None
    valid_to: date | None
    source: Text
    texts: dict[str, Text]
    open_questions: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that judges an event: one version of diseases and areas.

    Attributes:
        version: First 16 hex digits of the SHA-256 of the content; layout and comments do not change it.
        diseases: In the order in which the report prints them.
        areas: Sorted by id.
        links: Sorted by from_id, to_id.
        surveillance: One row per commune that has a surveillance area.
        sources: Key → citation, for the `sources` of every other part.
    """

    version: str
    diseases: tuple[Disease, ...]
    areas: tuple[Area, ...]
    links: tuple[AreaLink, ...]
    case_reports_since: tuple[CaseReportsSince, ...]
    agents: tuple[Agent, ...]
    surveillance: tuple[SurveillanceShare, ...]
    legal_rules: tuple[LegalRule, ...]
    sources: dict[str, str]
