"""The alert rules as data: the law's (law.yaml) and the CDC's own (thresholds.yaml, or the province's file).

`compose()` reads and checks the files and gives one content with one version: what the database keeps, and
what judges. docs/rules.md is the operator's page.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import orjson
import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from schemas.catalogue.errors import CatalogueError, Fault
from schemas.catalogue.models import AreaId, Catalogue, Code, Text
from schemas.strict_yaml import load_yaml

DIRECTORY: Final = Path(__file__).parent
LAW: Final = "law.yaml"
THRESHOLDS: Final = "thresholds.yaml"

_strict = with_config(ConfigDict(extra="forbid", strict=True))

Whole = Annotated[int, Field(ge=0, le=1_000_000)]

LAW_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "group_a_confirmed": frozenset({"cases"}),
    "weekly_band": frozenset({"from_sd", "to_sd"}),
    "monthly_band": frozenset({"over_sd"}),
    "weekly_linked": frozenset({"cases"}),
    "monthly_linked": frozenset({"cases"}),
    "monthly_mean": frozenset({"years"}),
    "outbreak_areas": frozenset({"areas", "communes", "years"}),
    "entered_by_person": frozenset(),
    "group_a_guidance": frozenset(),
    "group_a_guidance_end": frozenset(),
    "month_end": frozenset({"over_sd", "linked_cases"}),
    "quiet_days_end": frozenset({"years"}),
    "responder": frozenset({"years", "deaths"}),
    "death_clock": frozenset({"hours", "days"}),
    "notice_clock": frozenset({"hours"}),
}
"""Kinds of the law's rules -> the numbers that each wants."""

OWN_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "cases_in_window": frozenset({"cases", "days"}),
    "rate_in_window": frozenset({"per_100k", "cases", "days"}),
    "change_on_last_year": frozenset({"percent", "cases", "days"}),
    "any_case": frozenset({"days"}),
    "any_death": frozenset({"days"}),
    "any_imported": frozenset({"days"}),
    "lab_pending": frozenset({"days"}),
    "silent_reporter": frozenset({"days"}),
}
"""Kinds of the CDC's own thresholds -> the numbers that each wants."""

_LONGEST_WINDOW_DAYS: Final = 366


@_strict
@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule: what it computes (`kind`), for whom, with which numbers, in which days, by which text."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    kind: Text
    area: Literal["commune", "district", "province"]
    level: Literal["none", "attention", "alert", "outbreak"]
    valid_from: date | None
    valid_to: date | None
    citation: Text
    name_vi: Text
    name_en: Text
    numbers: dict[str, Whole]
    diseases: tuple[Code, ...] | None = None
    groups: tuple[Literal["A", "B", "C"], ...] | None = None
    endemic: bool | None = None


@_strict
@dataclass(frozen=True, slots=True)
class QuietDaysRow:
    """Days without a new case after which an outbreak of a disease ended by QĐ 02/2016."""

    disease: Code
    valid_from: date | None
    valid_to: date | None
    days: Annotated[int, Field(ge=1, le=366)]
    citation: Text


@_strict
@dataclass(frozen=True, slots=True)
class GuidanceRow:
    """What the Department for Disease Prevention says of a group A disease (Art. 16.1a, 16.3a)."""

    disease: Code
    valid_from: date
    outbreak_cases: Annotated[int, Field(ge=1, le=1_000)]
    citation: Text
    valid_to: date | None = None
    quiet_days: Annotated[int, Field(ge=1, le=366)] | None = None


@_strict
@dataclass(frozen=True, slots=True)
class EndemicRow:
    """The operator's word on whether a disease is endemic in a commune, whatever else says.

    The database checks that the area is there: an operator's own areas are not in the package.
    """

    disease: Code
    area_id: AreaId
    is_endemic: bool
    reason: Text


@_strict
@dataclass(frozen=True, slots=True)
class SettingsRow:
    """How words that the law leaves open are read; streams.domain.rules.Settings has the same names."""

    history_years: Annotated[int, Field(ge=2, le=10)] = 5
    usable_years: Annotated[int, Field(ge=2, le=10)] = 3
    endemic_years: Annotated[int, Field(ge=1, le=10)] = 3
    look_further_back: bool = False
    further_back_years: Annotated[int, Field(ge=1, le=10)] = 5
    ending: Literal["calendar_month", "rolling_30_days"] = "calendar_month"
    ending_months: Annotated[int, Field(ge=1, le=24)] = 12
    week_53: Literal["week_52", "none"] = "week_52"
    verify_link_cases: Annotated[int, Field(ge=2, le=100)] = 3
    late_days: Annotated[int, Field(ge=0, le=366)] = 28
    group_a_days: Annotated[int, Field(ge=1, le=366)] = 28
    district_death_days: Annotated[int, Field(ge=1, le=366)] = 30
    detector_cases: Annotated[int, Field(ge=1, le=100)] = 3


@_strict
@dataclass(frozen=True, slots=True)
class LawFile:
    """law.yaml."""

    rules: tuple[RuleRow, ...]
    quiet_days: tuple[QuietDaysRow, ...]


@_strict
@dataclass(frozen=True, slots=True)
class ProvinceFile:
    """thresholds.yaml, or a province's file. What a province leaves out is as in the package."""

    thresholds: tuple[RuleRow, ...] | None = None
    settings: SettingsRow = SettingsRow()
    endemic: tuple[EndemicRow, ...] = ()
    guidance: tuple[GuidanceRow, ...] = ()
    quiet_days: tuple[QuietDaysRow, ...] = ()


_LAW_FILE: Final[TypeAdapter[LawFile]] = TypeAdapter(LawFile)
_PROVINCE_FILE: Final[TypeAdapter[ProvinceFile]] = TypeAdapter(ProvinceFile)


@dataclass(frozen=True, slots=True)
class Composed:
    """All rules as one document (JSON-able, days as ISO text) and its version.

    Attributes:
        version: First 16 hex digits of the SHA-256 of the content; layout and comments do not change it.
        content: What streams.domain.rules.book_from takes.
    """

    version: str
    content: dict[str, Any]


def compose(catalogue: Catalogue, province: str | None = None, name: str = "the file") -> Composed:
    """The law and the thresholds as one rule book.

    Args:
        catalogue: Whose diseases the rules speak about.
        province: Text of the province's YAML file; None: the package's thresholds.
        name: Of that file, for messages.

    Raises:
        CatalogueError: a file is wrong; names file, entry and fault, all of one step together.
    """
    law = _validated(LAW, (DIRECTORY / LAW).read_text("utf-8"), _LAW_FILE)
    own = _validated(THRESHOLDS, (DIRECTORY / THRESHOLDS).read_text("utf-8"), _PROVINCE_FILE)
    if province is not None:
        given = _validated(name, province, _PROVINCE_FILE)
        thresholds = own.thresholds if given.thresholds is None else given.thresholds
        own = ProvinceFile(thresholds, given.settings, given.endemic, given.guidance, given.quiet_days)
    else:
        name = THRESHOLDS
    faults = [*_faults(LAW, law.rules, LAW_KINDS, catalogue), *_own_faults(name, law, own, catalogue)]
    if faults:
        raise CatalogueError(faults)
    document = {
        "rules": (*law.rules, *(own.thresholds or ())),
        "settings": own.settings,
        "endemic": own.endemic,
        "guidance": own.guidance,
        "quiet_days": (*own.quiet_days, *law.quiet_days),
        "diseases": [
            {
                "code": d.code,
                "name_vi": d.name_vi,
                "name_en": d.name_en,
                "groups": [
                    {"valid_from": p.valid_from, "valid_to": p.valid_to, "group": p.group}
                    for p in d.group_history
                ],
                "is_endemic_by_default": d.endemic.default,
                "endemic_provinces": {p.province_id: p.endemic for p in d.endemic.provinces},
                "is_digest_only": d.digest_only,
                "digest_only_severities": d.digest_only_severities,
            }
            for d in catalogue.diseases
        ],
    }
    canonical = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return Composed(hashlib.sha256(canonical).hexdigest()[:16], orjson.loads(canonical))


_File = TypeVar("_File")


def _validated(file: str, text: str, adapter: TypeAdapter[_File]) -> _File:
    if not unicodedata.is_normalized("NFC", text):
        raise CatalogueError([Fault(file, "the file", "holds decomposed letters: normalise it to NFC")])
    try:
        raw = load_yaml(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CatalogueError([Fault(file, f"line {line}", error.problem or "is not YAML")]) from error
    try:
        # By way of JSON: there a day is text, here it would have to be a date.
        return adapter.validate_json(orjson.dumps(raw))
    except ValidationError as error:
        raise CatalogueError(
            [_fault(file, raw, p["loc"], p["msg"]) for p in error.errors(include_url=False)]
        ) from error


def _fault(file: str, raw: Any, loc: tuple[int | str, ...], message: str) -> Fault:
    """Name the row that an error is about by its id or disease where it has one, else by its number."""
    if len(loc) < 2 or not isinstance(loc[1], int):
        return Fault(file, "the file", f"{'.'.join(map(str, loc))}: {message}")
    row = raw[loc[0]][loc[1]]
    name = row.get("id") or row.get("disease") if isinstance(row, dict) else None
    entry = f"{loc[0]} " + (f"'{name}'" if name else f"number {loc[1] + 1}")
    return Fault(file, entry, f"{'.'.join(map(str, loc[2:]))}: {message}")


def _faults(
    file: str, rules: Iterable[RuleRow], kinds: Mapping[str, frozenset[str]], catalogue: Catalogue
) -> Iterator[Fault]:
    diseases = {disease.code for disease in catalogue.diseases}
    for rule in rules:
        entry = f"rule '{rule.id}'"
        if rule.kind not in kinds:
            yield Fault(file, entry, f"there is no kind '{rule.kind}' here: choose from {', '.join(kinds)}")
        elif rule.numbers.keys() != kinds[rule.kind]:
            wanted = ", ".join(sorted(kinds[rule.kind])) or "none"
            yield Fault(file, entry, f"numbers: a rule of kind {rule.kind} has exactly these: {wanted}")
        days = rule.numbers.get("days")
        if days is not None and not 1 <= days <= _LONGEST_WINDOW_DAYS:
            yield Fault(file, entry, f"numbers: days are 1 to {_LONGEST_WINDOW_DAYS}")
        if rule.valid_from and rule.valid_to and rule.valid_to < rule.valid_from:
            yield Fault(file, entry, f"ends on {rule.valid_to}, before it starts on {rule.valid_from}")
        for code in rule.diseases or ():
            if code not in diseases:
                yield Fault(file, entry, f"diseases: there is no disease '{code}'")


def _own_faults(file: str, law: LawFile, own: ProvinceFile, catalogue: Catalogue) -> Iterator[Fault]:
    thresholds = own.thresholds or ()
    yield from _faults(file, thresholds, OWN_KINDS, catalogue)
    for rule_id, times in Counter(rule.id for rule in (*law.rules, *thresholds)).items():
        if times > 1:
            yield Fault(file, f"rule '{rule_id}'", "is there twice")
    for rule in thresholds:
        area = "district" if rule.kind == "silent_reporter" else "commune"
        if rule.area != area:
            yield Fault(file, f"rule '{rule.id}'", f"area: a rule of kind {rule.kind} judges a {area}")
    diseases = {disease.code for disease in catalogue.diseases}
    named: list[tuple[str, str]] = [
        *(("endemic", row.disease) for row in own.endemic),
        *(("guidance", row.disease) for row in own.guidance),
        *(("quiet_days", row.disease) for row in (*own.quiet_days, *law.quiet_days)),
    ]
    for what, disease in named:
        if disease not in diseases:
            yield Fault(file, f"{what} '{disease}'", f"there is no disease '{disease}'")
    for key, times in Counter((row.disease, row.area_id) for row in own.endemic).items():
        if times > 1:
            yield Fault(file, f"endemic '{key[0]}'", f"commune {key[1]} is there twice")
    if own.settings.usable_years > own.settings.history_years:
        yield Fault(file, "settings", "usable_years: no more than history_years")
    if own.settings.endemic_years > own.settings.history_years:
        yield Fault(file, "settings", "endemic_years: no more than history_years")
