"""Nowcasts of simulated epidemics whose end is known: how often the interval holds it.

`python -m tests.nowcast_simulation` prints the table of docs/indicators/nowcast.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.domain.nowcast import Counts, Floats, Model, Nowcast, TooLittle, Triangle, nowcast

LONGEST, PERIODS = 8, 35
"""As `canhdich nowcast` has them for weeks: 26 weeks of window behind the 8 that are predicted."""


def geometric(share: float) -> Floats:
    """A delay distribution: this share of the rest comes in each week; none later than LONGEST."""
    chance: Floats = share * (1 - share) ** np.arange(LONGEST + 1)
    return chance / chance.sum()


@dataclass(frozen=True, slots=True)
class Scenario:
    """An epidemic and how it is reported.

    Attributes:
        name: For the table.
        cases: Expected cases of a week (from 0) in each series.
        delays: Distribution of the delays of a week's cases.
        resemblance: Precision of the Dirichlet distribution from which each week draws its own delays; None:
            every week has the same.
        taken_back: Share of the cases that is taken back one to four weeks after it was counted.
    """

    name: str
    cases: Callable[[int], Sequence[float]]
    delays: Callable[[int], Floats] = lambda _week: geometric(0.35)
    resemblance: float | None = None
    taken_back: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scenario's nowcasts.

    Attributes:
        nowcasts: Cells judged (series times weeks times repetitions).
        refused: Repetitions in which there was too little to go by.
        coverage: Share of the cells whose final count the interval holds.
        newest_coverage: The same of the newest week alone.
        bias: Sum of the point estimates over the sum of the truth, less one.
    """

    nowcasts: int
    refused: int
    coverage: float
    newest_coverage: float
    bias: float


SCENARIOS = (
    Scenario("steady, 20 a week", lambda _week: [20]),
    Scenario("steady, 200 a week", lambda _week: [200]),
    Scenario("few: 1.5 a week", lambda _week: [1.5]),
    Scenario("eight districts, 0.3 a week each", lambda _week: [0.3] * 8),
    Scenario("eight districts, 0.05 to 10 a week", lambda _week: [0.05, 0.2, 0.5, 1, 2, 3, 5, 10]),
    Scenario("growing by 15 % a week", lambda week: [2 * 1.15**week]),
    Scenario("sudden outbreak, 3 then 40 a week for 5 weeks", lambda week: [3 if week < 30 else 40]),
    Scenario("falling by 15 % a week", lambda week: [200 * 0.85**week + 1]),
    Scenario("season that starts again from none", lambda week: [15 * (1 + float(np.sin(week / 6)))]),
    Scenario("weeks differ in their delays, 50 a week", lambda _week: [50], resemblance=20),
    Scenario("weeks differ in their delays, 10 a week", lambda _week: [10], resemblance=20),
    Scenario("a tenth is taken back, 30 a week", lambda _week: [30], taken_back=0.1),
    Scenario(
        "reporting became slower 4 weeks ago",
        lambda _week: [30],
        lambda week: geometric(0.35 if week < 31 else 0.2),
    ),
    Scenario(
        "reporting became faster 4 weeks ago",
        lambda _week: [30],
        lambda week: geometric(0.35 if week < 31 else 0.55),
    ),
    Scenario(
        "reporting becomes steadily faster",
        lambda _week: [30],
        lambda week: geometric(0.2 + 0.3 * week / PERIODS),
    ),
)

Judge = Callable[[Nowcast], tuple[Counts, Counts]]
"""Which interval is judged: lower and upper ends."""


def own_interval(found: Nowcast) -> tuple[Counts, Counts]:
    """The interval that the nowcast gives."""
    return found.lower, found.upper


def simulate(
    scenario: Scenario, repetitions: int, seed: int = 20_140_304, interval: Judge = own_interval
) -> Outcome:
    """Play a scenario again and again, and compare each nowcast with what came of it."""
    rng = np.random.default_rng(seed)
    held, predicted, true = [], 0.0, 0
    refused = 0
    for _ in range(repetitions):
        triangle, truth = _play(scenario, rng)
        groups = [np.zeros(len(truth), np.int64)]
        try:
            found = nowcast(triangle, Model(window=PERIODS - LONGEST - 1), groups)
        except TooLittle:
            refused += 1
            continue
        lower, upper = interval(found)
        held.append((lower <= truth) & (truth <= upper))
        predicted += float(found.expected.sum())
        true += int(truth.sum())
    all_held = np.array(held)
    return Outcome(
        all_held.size,
        refused,
        float(all_held.mean()),
        float(all_held[..., -1].mean()),
        predicted / true - 1,
    )


def _play(scenario: Scenario, rng: np.random.Generator) -> tuple[Triangle, Counts]:
    """What is known after the last week, and the final counts of the last LONGEST weeks."""
    weeks = [scenario.cases(week) for week in range(PERIODS)]
    arrivals = np.zeros((len(weeks[0]), PERIODS, LONGEST + 1), np.int64)
    moved, counted = np.zeros_like(arrivals), np.zeros(arrivals.shape[:2], np.int64)
    final = np.zeros_like(counted)
    for week, expected in enumerate(weeks):
        seen = PERIODS - week
        for series, mean in enumerate(expected):
            delays = scenario.delays(week)
            if scenario.resemblance is not None:
                delays = rng.dirichlet(scenario.resemblance * delays + 1e-9)
            came = rng.multinomial(rng.poisson(mean), delays)
            leaves = rng.binomial(came, scenario.taken_back)
            final[series, week] = (came - leaves).sum()
            stands = came.copy()
            moved[series, week] += came
            for delay in np.repeat(np.arange(LONGEST + 1), leaves):
                left = delay + rng.integers(1, 5)
                if left < seen:
                    stands[delay] -= 1
                    if left <= LONGEST:
                        moved[series, week, left] -= 1
            arrivals[series, week] = stands
            arrivals[series, week, seen:] = 0
            moved[series, week, seen:] = 0
            counted[series, week] = arrivals[series, week].sum()
    return Triangle(arrivals, moved, counted), final[:, -LONGEST:]


def _shown(scenario: Scenario, outcome: Outcome) -> str:
    numbers: NDArray[np.float64] = 100 * np.array([outcome.coverage, outcome.newest_coverage, outcome.bias])
    return f"| {scenario.name} | {numbers[0]:.1f} | {numbers[1]:.1f} | {numbers[2]:+.1f} |"


if __name__ == "__main__":
    for each in SCENARIOS:
        print(_shown(each, simulate(each, 200)), flush=True)
