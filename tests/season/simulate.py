"""Cases of a made-up province: five known years, then one in which outbreaks are injected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.domain.rules import CaseFact

FIRST_WEEK: Final = date(2021, 11, 29)
"""Five years and the half window of the Farrington methods before the first judged week."""
FIRST_JUDGED: Final = date(2027, 1, 4)
"""Monday of 2027-W01: all of the year is judged by TT 15/2026."""
JUDGED_WEEKS: Final = 52
HISTORY_WEEKS: Final = (FIRST_JUDGED - FIRST_WEEK).days // 7
LONGEST_DELAY: Final = 10


@dataclass(frozen=True, slots=True)
class DiseaseModel:
    """How a disease behaves without and with outbreaks.

    Attributes:
        code: Of the catalogue.
        per_100k: Cases per 100,000 people and year, without outbreaks.
        seasons: (day of the year of a peak, its height on the log scale, its width in days).
        year_sd: Between years, of the whole province, on the log scale.
        overdispersion: Variance of a week's count over its mean.
        linked_share: Of the weeks with several cases of no outbreak in a commune: those in which they are
            known to be linked (a family, a class).
        sizes: Fewest and most cases of an outbreak (evenly on the log scale).
        days: Fewest and most days between its first and its last possible onset.
        outbreaks: In the judged year, each in another commune.
        outbreaks_before: Share of commune-years of the history with one, undeclared.
    """

    code: str
    per_100k: float
    seasons: Sequence[tuple[float, float, float]]
    year_sd: float
    overdispersion: float
    linked_share: float
    sizes: tuple[int, int]
    days: tuple[int, int]
    outbreaks: int
    outbreaks_before: float


DISEASES: Final = (
    DiseaseModel("dengue", 120.0, ((255, 1.8, 50),), 0.35, 2.0, 0.3, (8, 60), (21, 56), 40, 0.1),
    DiseaseModel("hfmd", 90.0, ((110, 1.0, 30), (280, 1.3, 35)), 0.25, 1.6, 0.3, (6, 40), (14, 42), 40, 0.1),
    DiseaseModel("measles", 1.5, ((85, 0.8, 45),), 0.4, 1.3, 0.5, (3, 30), (14, 56), 30, 0.03),
)


@dataclass(frozen=True, slots=True)
class Outbreak:
    """One that was injected into the judged year."""

    disease: str
    commune: int
    first_onset: date
    last_onset: date
    cases: int

    def holds(self, day: date) -> bool:
        """Whether an alarm on a day is about it: from its first onset to 14 days after its last."""
        return self.first_onset <= day <= self.last_onset + timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Season:
    """Cases of every disease and commune, and what is true of them.

    Attributes:
        population: People per commune.
        cases: (disease, commune) -> cases by day of report.
        outbreaks: Those injected into the judged year.
    """

    population: Sequence[int]
    cases: dict[tuple[str, int], list[CaseFact]] = field(default_factory=dict)
    outbreaks: list[Outbreak] = field(default_factory=list)

    @property
    def communes(self) -> int:
        """How many there are."""
        return len(self.population)

    def weekly(self, disease: str, known_on: date) -> NDArray[np.float64]:
        """Cases by week of onset (n_weeks, n_communes) as reported by the end of a day; later weeks are 0."""
        counts = np.zeros((HISTORY_WEEKS + JUDGED_WEEKS, self.communes))
        for commune in range(self.communes):
            for case in self.cases[disease, commune]:
                if case.report_day <= known_on:
                    counts[(case.onset_day - FIRST_WEEK).days // 7, commune] += 1
        return counts


def simulate(
    seed: int, communes: int = 100, diseases: Sequence[DiseaseModel] = DISEASES
) -> tuple[Season, Season]:
    """Make a season, and the same one without the outbreaks of the judged year.

    Args:
        seed: The same seed, the same season.
        communes: How many; populations are about 30,000.
        diseases: What is simulated.

    Raises:
        ValueError: more outbreaks than communes.
    """
    people = np.random.default_rng([seed, 0]).lognormal(np.log(28_000), 0.4, communes).astype(int).tolist()
    with_outbreaks, without = Season(people), Season(people)
    for number, model in enumerate(diseases, 1):
        if model.outbreaks > communes:
            raise ValueError(f"{model.outbreaks} outbreaks of {model.code} want as many communes.")
        generator = np.random.default_rng([seed, number])
        usual = _usual(generator, model, np.array(people))
        injected, outbreaks = _injected(generator, model, communes)
        for commune in range(communes):
            key = (model.code, commune)
            without.cases[key] = sorted(usual[commune], key=_by_report)
            with_outbreaks.cases[key] = sorted([*usual[commune], *injected[commune]], key=_by_report)
        with_outbreaks.outbreaks.extend(outbreaks)
    return with_outbreaks, without


def _by_report(case: CaseFact) -> date:
    return case.report_day


def _usual(
    generator: np.random.Generator, model: DiseaseModel, people: NDArray[np.int64]
) -> list[list[CaseFact]]:
    """Cases of no outbreak of the judged year, per commune; outbreaks of the years before among them."""
    weeks = HISTORY_WEEKS + JUDGED_WEEKS
    mondays = [FIRST_WEEK + timedelta(weeks=week) for week in range(weeks)]
    day = np.array([monday.timetuple().tm_yday + 3.0 for monday in mondays])
    log_season = np.zeros(weeks)
    for peak, height, width in model.seasons:
        away = np.abs(day - peak)
        away = np.minimum(away, 365.25 - away)
        log_season += height * np.exp(-0.5 * (away / width) ** 2)
    shape = np.exp(log_season)
    shape /= shape.mean()
    years = {year: generator.normal(0.0, model.year_sd) for year in sorted({m.year for m in mondays})}
    level = np.exp([years[monday.year] - model.year_sd**2 / 2.0 for monday in mondays])
    place = generator.lognormal(-0.18, 0.6, people.size)
    mean = (shape * level)[:, None] * place * people / 100_000.0 * model.per_100k / 52.18
    # A law of no cases at all is none to numpy.
    size = np.maximum(mean, 1e-12) / (model.overdispersion - 1.0)
    counts = generator.negative_binomial(size, 1.0 / model.overdispersion)
    found: list[list[CaseFact]] = [[] for _ in range(people.size)]
    for week, commune in np.argwhere(counts).tolist():
        number = int(counts[week, commune])
        is_linked = number > 1 and generator.random() < model.linked_share
        days = [mondays[week] + timedelta(days=int(d)) for d in generator.integers(0, 7, number)]
        cluster = f"family-{week}" if is_linked else None
        found[commune].extend(_cases(generator, days, cluster, 1.0))
    for commune in range(people.size):
        for year in range(5):
            if generator.random() < model.outbreaks_before:
                start = FIRST_WEEK + timedelta(days=int(365 * year + generator.integers(35, 330)))
                days, _ = _outbreak_days(generator, model, start)
                found[commune].extend(_cases(generator, days, f"before-{year}", 0.8))
    return found


def _injected(
    generator: np.random.Generator, model: DiseaseModel, communes: int
) -> tuple[list[list[CaseFact]], list[Outbreak]]:
    found: list[list[CaseFact]] = [[] for _ in range(communes)]
    outbreaks = []
    for commune in generator.permutation(communes)[: model.outbreaks].tolist():
        latest = 7 * JUDGED_WEEKS - model.days[1] - 28
        start = FIRST_JUDGED + timedelta(days=int(generator.integers(14, latest)))
        days, size = _outbreak_days(generator, model, start)
        found[commune] = _cases(generator, days, "outbreak", 0.8)
        outbreaks.append(Outbreak(model.code, commune, min(days), max(days), size))
    return found, outbreaks


def _outbreak_days(
    generator: np.random.Generator, model: DiseaseModel, start: date
) -> tuple[list[date], int]:
    """Days of onset: few, then many, then a tail."""
    fewest, most = model.sizes
    size = round(float(np.exp(generator.uniform(np.log(fewest), np.log(most)))))
    length = int(generator.integers(model.days[0], model.days[1] + 1))
    onsets = np.floor(length * generator.beta(2.0, 3.0, size))
    return [start + timedelta(days=int(day)) for day in onsets], size


def _cases(
    generator: np.random.Generator, days: Sequence[date], cluster: str | None, linked: float
) -> list[CaseFact]:
    """Cases with these days of onset, each reported some days later; the share `linked` is known to be."""
    delays = np.minimum(generator.geometric(0.3, len(days)) - 1, LONGEST_DELAY)
    is_linked = generator.random(len(days)) < linked
    return [
        CaseFact(
            day,
            day + timedelta(days=int(delay)),
            "suspected",
            cluster=cluster if in_cluster else None,
        )
        for day, delay, in_cluster in zip(days, delays, is_linked, strict=True)
    ]
