"""Counts in the shape of `canhdich counts --json`, and the figures they differ from."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from services.demo.figures import DISTRICTS, YearFigures
from tests.truth import Truth

COUNTERS = (
    "notified",
    "suspected",
    "probable",
    "confirmed",
    "discarded",
    "positive",
    "negative",
    "pending",
    "deaths",
    "imported",
    "hospitalised",
)


def rows_by_district(counted: Truth, year: int, basis: str = "onset") -> list[dict[str, Any]]:
    """`counts --by disease --by district` of one year."""
    return [
        {
            "disease": key.disease,
            "disease_name": key.disease.title(),
            "district": key.district,
            "district_name": DISTRICTS.get(key.district or ""),
            **{name: counters[name] for name in COUNTERS},
        }
        for key, counters in counted.counts.items()
        if (key.year, key.basis) == (year, basis)
    ]


def rows_by_agent(counted: Truth, year: int, basis: str = "onset") -> list[dict[str, Any]]:
    """`counts --by disease --by agent` of one year."""
    positives: Counter[tuple[str, str]] = Counter()
    for key, agents in counted.by_agent.items():
        if (key.year, key.basis) == (year, basis):
            positives.update({(key.disease, agent): count for agent, count in agents.items()})
    return [
        {"disease": disease, "agent": agent, "positive": count}
        for (disease, agent), count in positives.items()
    ]


def differences(counted: Truth, expected: Iterable[YearFigures], basis: str = "onset") -> list[str]:
    """Every figure, invented ones included, that the counts do not give; and whatever else they hold."""
    totals: dict[tuple[str, int | None], Counter[str]] = defaultdict(Counter)
    agents: dict[tuple[str, int | None], Counter[str]] = defaultdict(Counter)
    districts: dict[tuple[str, int | None, str], Counter[str | None]] = defaultdict(Counter)
    for key, counters in counted.counts.items():
        if key.basis == basis:
            totals[key.disease, key.year] += counters
            for name, amount in counters.items():
                districts[key.disease, key.year, name][key.district] += amount
    for key, positives in counted.by_agent.items():
        if key.basis == basis:
            agents[key.disease, key.year] += positives
    found: list[str] = []

    def check(figures: YearFigures, name: str, wanted: Any, got: Any) -> None:
        if wanted != got:
            found.append(f"{figures.disease} {figures.year} {name}: {wanted} expected, {got} counted")

    known = set()
    for figures in expected:
        about = (figures.disease, figures.year)
        known.add(about)
        for name in ("notified", "deaths", "positive", "negative", "pending", "imported", "discarded"):
            check(figures, name, getattr(figures, name), totals[about][name])
        check(figures, "positive_by_agent", _without_zeros(figures.positive_by_agent), dict(agents[about]))
        deaths = dict(+districts[*about, "deaths"])
        check(figures, "deaths_by_district", dict(figures.deaths_by_district), deaths)
        cases = dict(districts[*about, "notified"])
        if figures.cases_by_district:
            check(figures, "cases_by_district", dict(figures.cases_by_district), cases)
        if figures.places:
            check(figures, "places", figures.places, cases.keys())
        if not cases.keys() <= DISTRICTS.keys():
            found.append(f"{figures.disease} {figures.year}: a case outside the eight districts, {cases}")
    found += [f"{about}: not expected at all" for about in totals.keys() - known]
    return found


def _without_zeros(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
