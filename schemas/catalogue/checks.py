"""What the entries of the catalogue say about each other. Every check yields the faults it finds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Protocol

from schemas.catalogue.errors import Fault
from schemas.catalogue.matching import disease_keys, normalise, valid_on
from schemas.catalogue.models import Area, AreaLink, Catalogue, Disease

_CODE_LENGTH = {"province": 2, "district": 3, "surveillance": 3, "commune": 5}
_PARENT_KINDS = {
    "province": (),
    "district": ("province",),
    "surveillance": ("province",),
    "commune": ("district", "province"),
}
_ONE_DAY = timedelta(days=1)
# An area is followed by one of its kind; districts ended in surveillance areas, five of them in a commune.
_NEXT_KINDS = {
    "province": ("province",),
    "district": ("district", "surveillance", "commune"),
    "surveillance": ("surveillance",),
    "commune": ("commune",),
}


class _Period(Protocol):
    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_to(self) -> date | None: ...


def check(catalogue: Catalogue, frozen_codes: Iterable[str]) -> list[Fault]:
    """Return every fault between entries; an empty list means that the catalogue can be used."""
    faults = list(_frozen_codes(catalogue, set(frozen_codes)))
    for group in (_disease_checks, _area_checks):
        for find in group:
            faults.extend(find(catalogue))
    return faults


def check_areas(catalogue: Catalogue) -> list[Fault]:
    """Return every fault between areas, links and the day from which case reports count."""
    return [fault for find in (*_area_checks, _case_reports_since) for fault in find(catalogue)]


def _repeated(values: Iterable[str]) -> list[str]:
    return sorted(value for value, count in Counter(values).items() if count > 1)


def _period_faults(periods: Iterable[_Period]) -> Iterator[str]:
    """Yield a fault for every period that ends before it starts, or starts before the last one has ended."""
    listed = list(periods)
    for period in listed:
        if period.valid_from and period.valid_to and period.valid_to < period.valid_from:
            yield f"ends on {period.valid_to}, before it starts on {period.valid_from}"
    for earlier, later in pairwise(listed):
        if earlier.valid_to is None or later.valid_from is None or later.valid_from <= earlier.valid_to:
            yield (
                f"the period from {later.valid_from or 'the start'} begins before the last one has ended "
                f"({earlier.valid_to or 'it never ends'})"
            )


# --- diseases ---------------------------------------------------------------------------------------------


def _disease_fault(disease: Disease, fault: str) -> Fault:
    return Fault("diseases.yaml", f"disease '{disease.code}'", fault)


def _frozen_codes(catalogue: Catalogue, frozen: set[str]) -> Iterator[Fault]:
    codes = {disease.code for disease in catalogue.diseases}
    for code in sorted(frozen - codes):
        yield Fault(
            "diseases.yaml",
            f"disease '{code}'",
            "is in frozen_codes.txt but not here: a published code is never renamed or removed, only aliased",
        )
    for code in sorted(codes - frozen):
        yield Fault("frozen_codes.txt", f"disease '{code}'", "is in diseases.yaml but not here: append it")


def _unique_codes(catalogue: Catalogue) -> Iterator[Fault]:
    for code in _repeated(disease.code for disease in catalogue.diseases):
        yield Fault("diseases.yaml", f"disease '{code}'", "is there twice")
    for code in _repeated(agent.code for agent in catalogue.agents):
        yield Fault("diseases.yaml", f"agent '{code}'", "is there twice")
    for code in _repeated(rule.code for rule in catalogue.legal_rules):
        yield Fault("legal_rules.yaml", f"rule '{code}'", "is there twice")


def _agents(catalogue: Catalogue) -> Iterator[Fault]:
    known = {agent.code for agent in catalogue.agents}
    used: set[str] = set()
    for disease in catalogue.diseases:
        used.update(disease.agents)
        if disease.agents[:1] != (disease.code,):
            yield _disease_fault(disease, "agents: its own agent, with the disease's code, must come first")
        for agent in _repeated(disease.agents):
            yield _disease_fault(disease, f"agents: '{agent}' is there twice")
        for agent in disease.agents:
            if agent not in known:
                yield _disease_fault(disease, f"agents: '{agent}' is not in the table of agents")
    for agent in sorted(known - used):
        yield Fault("diseases.yaml", f"agent '{agent}'", "belongs to no disease")


def _syndromes(catalogue: Catalogue) -> Iterator[Fault]:
    by_code = {disease.code: disease for disease in catalogue.diseases}
    for disease in catalogue.diseases:
        for agent, target in disease.resolves_to.items():
            if agent not in disease.agents:
                yield _disease_fault(disease, f"resolves_to: '{agent}' is not one of its agents")
            if target not in by_code:
                yield _disease_fault(disease, f"resolves_to: there is no disease '{target}'")
            elif target == disease.code or by_code[target].resolves_to:
                yield _disease_fault(disease, f"resolves_to: '{target}' is a syndrome itself")


def _references(catalogue: Catalogue) -> Iterator[Fault]:
    rules = {rule.code for rule in catalogue.legal_rules}
    for disease in catalogue.diseases:
        if disease.alert_rule not in rules:
            yield _disease_fault(disease, f"alert_rule: there is no rule '{disease.alert_rule}'")
        for severity in disease.digest_only_severities:
            if severity not in disease.severities:
                yield _disease_fault(disease, f"digest_only_severities: '{severity}' is not in severities")
        for source in _sources(disease):
            if source not in catalogue.sources:
                yield _disease_fault(disease, f"sources: there is no source '{source}'")


def _sources(disease: Disease) -> set[str]:
    named = [
        disease.icd10_sources,
        disease.incubation_days.sources,
        disease.outbreak_rule.sources,
        disease.focus_closure.sources,
        disease.endemic.sources,
        *(override.sources for override in disease.endemic.provinces),
        *(period.sources for period in disease.group_history),
        *(deadline.sources for deadline in disease.deadlines),
    ]
    return {source for sources in named for source in sources}


def _disease_periods(catalogue: Catalogue) -> Iterator[Fault]:
    for disease in catalogue.diseases:
        for fault in _period_faults(disease.group_history):
            yield _disease_fault(disease, f"group_history: {fault}")
        for fault in _period_faults(disease.deadlines):
            yield _disease_fault(disease, f"deadlines: {fault}")
    for rule in catalogue.legal_rules:
        for fault in _period_faults([rule]):
            yield Fault("legal_rules.yaml", f"rule '{rule.code}'", fault)


def _names(catalogue: Catalogue) -> Iterator[Fault]:
    owner: dict[str, Disease] = {}
    for disease in catalogue.diseases:
        for key in sorted(disease_keys(disease)):
            other = owner.setdefault(key, disease)
            if other.code != disease.code:
                yield _disease_fault(disease, f"names and aliases: '{key}' already means '{other.code}'")
        label = disease.report_label_vi.casefold().split()
        if label[:2] == ["bệnh", "bệnh"]:
            yield _disease_fault(disease, 'report_label_vi: says "Bệnh" twice')
        if normalise(disease.report_label_vi) == "":
            yield _disease_fault(disease, "report_label_vi: holds no word")


def _endemic(catalogue: Catalogue) -> Iterator[Fault]:
    provinces = {area.id for area in catalogue.areas if area.kind == "province"}
    for disease in catalogue.diseases:
        ids = [override.province_id for override in disease.endemic.provinces]
        for area_id in ids:
            if area_id not in provinces:
                yield _disease_fault(disease, f"endemic: there is no province '{area_id}'")
        for area_id in _repeated(ids):
            yield _disease_fault(disease, f"endemic: province '{area_id}' is there twice")


def _case_reports_since(catalogue: Catalogue) -> Iterator[Fault]:
    codes = {disease.code for disease in catalogue.diseases}
    provinces: dict[str, list[Area]] = defaultdict(list)
    for area in catalogue.areas:
        if area.kind == "province":
            provinces[area.code].append(area)
    file = "case_reports_since.csv"
    for row in catalogue.case_reports_since:
        entry = f"{row.disease}, {row.province_code}"
        if row.disease not in codes:
            yield Fault(file, entry, f"there is no disease '{row.disease}'")
        if not any(valid_on(area, row.since) for area in provinces[row.province_code]):
            yield Fault(file, entry, f"there is no province {row.province_code} on {row.since}")
    for entry in _repeated(f"{row.disease}, {row.province_code}" for row in catalogue.case_reports_since):
        yield Fault(file, entry, "is there twice")


_disease_checks: tuple[Callable[[Catalogue], Iterator[Fault]], ...] = (
    _unique_codes,
    _agents,
    _syndromes,
    _references,
    _disease_periods,
    _names,
    _endemic,
    _case_reports_since,
)


# --- areas ------------------------------------------------------------------------------------------------


def _area_fault(area: Area, fault: str) -> Fault:
    return Fault("areas.csv", area.id, fault)


def _unique_areas(catalogue: Catalogue) -> Iterator[Fault]:
    for area_id in _repeated(area.id for area in catalogue.areas):
        yield Fault("areas.csv", area_id, "is there twice")
    by_code: dict[str, list[Area]] = defaultdict(list)
    for area in catalogue.areas:
        by_code[area.code].append(area)
    for code, areas in by_code.items():
        if len(areas) == 1 and areas[0].valid_from is None:
            continue
        areas.sort(key=lambda area: area.valid_from or date.min)
        for fault in _period_faults(areas):
            yield Fault("areas.csv", f"code {code}", f"means two things at once: {fault}")


def _area_shape(catalogue: Catalogue) -> Iterator[Fault]:
    for area in catalogue.areas:
        if area.id != f"{area.code}@{area.valid_from or 'start'}":
            yield _area_fault(area, f"its id must be {area.code}@{area.valid_from or 'start'}")
        if len(area.code) != _CODE_LENGTH[area.kind]:
            yield _area_fault(area, f"a {area.kind}'s code has {_CODE_LENGTH[area.kind]} digits")
        if (area.latitude is None) != (area.longitude is None):
            yield _area_fault(area, "has only one of latitude and longitude")


def _covers(outer: Area, inner: Area) -> bool:
    first, last = outer.valid_from or date.min, outer.valid_to or date.max
    return first <= (inner.valid_from or date.min) and (inner.valid_to or date.max) <= last


def _parents(catalogue: Catalogue) -> Iterator[Fault]:
    by_id = {area.id: area for area in catalogue.areas}
    for area in catalogue.areas:
        allowed = _PARENT_KINDS[area.kind]
        parent = by_id.get(area.parent_id or "")
        if not allowed:
            if area.parent_id is not None:
                yield _area_fault(area, f"a {area.kind} has no parent, but it names {area.parent_id}")
        elif area.parent_id is None:
            yield _area_fault(area, "names no parent")
        elif parent is None:
            yield _area_fault(area, f"its parent {area.parent_id} does not exist")
        elif parent.kind not in allowed:
            yield _area_fault(
                area, f"its parent {parent.id} is a {parent.kind}, not a {' or a '.join(allowed)}"
            )
        elif not _covers(parent, area):
            yield _area_fault(area, f"its parent {parent.id} is not valid in the same period")


def _surveillance(catalogue: Catalogue) -> Iterator[Fault]:
    by_id = {area.id: area for area in catalogue.areas}
    shares = {row.commune_id: row for row in catalogue.surveillance}
    for area_id in _repeated(row.commune_id for row in catalogue.surveillance):
        yield Fault("surveillance_areas.csv", area_id, "is there twice")
    for row in catalogue.surveillance:
        commune = by_id.get(row.commune_id)
        if commune is None or commune.surveillance_id != row.surveillance_id:
            stated = commune.surveillance_id if commune else "no such area"
            yield Fault(
                "surveillance_areas.csv", row.commune_id, f"{row.surveillance_id} here, {stated} in areas.csv"
            )
        former = by_id.get(row.district_id or "")
        if row.district_id is not None and (former is None or former.kind != "district"):
            yield Fault("surveillance_areas.csv", row.commune_id, f"there is no district {row.district_id}")
    for area in catalogue.areas:
        if area.surveillance_id is None:
            continue
        outer = by_id.get(area.surveillance_id)
        if area.kind != "commune":
            yield _area_fault(area, f"a {area.kind} has no surveillance area")
        elif outer is None or outer.kind != "surveillance":
            yield _area_fault(area, f"there is no surveillance area {area.surveillance_id}")
        elif outer.parent_id != area.parent_id:
            yield _area_fault(area, f"its surveillance area {outer.id} lies in another province")
        elif not _covers(outer, area):
            yield _area_fault(area, f"its surveillance area {outer.id} is not valid in the same period")
        elif area.id not in shares:
            yield _area_fault(area, "is missing in surveillance_areas.csv")


def _links(catalogue: Catalogue) -> Iterator[Fault]:
    by_id = {area.id: area for area in catalogue.areas}
    by_source: dict[str, list[AreaLink]] = defaultdict(list)
    for link in catalogue.links:
        by_source[link.from_id].append(link)
        source, target = by_id.get(link.from_id), by_id.get(link.to_id)
        if fault := _link_fault(link, source, target):
            yield Fault("area_links.csv", f"{link.from_id} -> {link.to_id}", fault)
    for source_id, links in by_source.items():
        # Nearly every area goes whole into one other.
        if len(links) > 1 or links[0].kind == "part" or not links[0].is_default:
            yield from _targets(source_id, links, by_id)
    for area in catalogue.areas:
        if area.valid_to is not None and area.id not in by_source:
            yield _area_fault(area, f"ended on {area.valid_to}; area_links.csv does not say what it became")


def _link_fault(link: AreaLink, source: Area | None, target: Area | None) -> str | None:
    if source is None:
        return f"there is no area {link.from_id}"
    if target is None:
        return f"there is no area {link.to_id}"
    if target.kind not in _NEXT_KINDS[source.kind]:
        return f"a {source.kind} does not become a {target.kind}"
    ended, started = source.valid_to, target.valid_from
    if ended is None or started is None or started - ended != _ONE_DAY:
        return "the second area must start on the day after the first one ended"
    return None


def _targets(source_id: str, links: list[AreaLink], by_id: dict[str, Area]) -> Iterator[Fault]:
    """A district may become a surveillance area and a commune, so each kind of target has its own default."""
    for target in _repeated(link.to_id for link in links):
        yield Fault("area_links.csv", f"{source_id} -> {target}", "is there twice")
    by_kind: dict[str, list[AreaLink]] = defaultdict(list)
    for link in links:
        if link.to_id in by_id:
            by_kind[by_id[link.to_id].kind].append(link)
    for kind, targets in by_kind.items():
        defaults = sum(link.is_default for link in targets)
        if defaults != 1:
            yield Fault("area_links.csv", source_id, f"has {defaults} default {kind} targets, one is needed")
        wholes = sum(link.kind == "whole" for link in targets)
        if wholes and len(targets) > 1:
            yield Fault("area_links.csv", source_id, f"goes whole into one {kind}, but has {len(targets)}")
        if len(targets) == 1 and targets[0].kind == "part":
            yield Fault(
                "area_links.csv", source_id, f"only a part of it goes into a {kind}, the rest nowhere"
            )


_area_checks: tuple[Callable[[Catalogue], Iterator[Fault]], ...] = (
    _unique_areas,
    _area_shape,
    _parents,
    _surveillance,
    _links,
)
