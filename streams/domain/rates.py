"""Incidence per 100,000 and case fatality, with 95 % intervals.

Sources: F. Garwood, Fiducial limits for the Poisson distribution, Biometrika 1936;28:437-442. E. B. Wilson,
Probable inference, the law of succession, and statistical inference, J Am Stat Assoc 1927;22:209-212, as
recommended by R. G. Newcombe, Two-sided confidence intervals for the single proportion, Stat Med
1998;17:857-872.
"""

from dataclasses import dataclass
from typing import Final

PER: Final = 100_000
UNSTABLE_BELOW: Final = 20
"""A rate on fewer cases is unstable: its relative standard error is above 22 % (1/sqrt(20)).

Source: the rule of the National Center for Health Statistics (CDC) for rates of vital statistics: a rate
based on fewer than 20 events does not meet its standards of reliability (National Vital Statistics Reports,
Deaths: Final Data, technical notes).
"""

_TAIL: Final = 0.025


@dataclass(frozen=True, slots=True)
class Rate:
    """A figure with its 95 % interval.

    Attributes:
        value: The figure.
        low: Lower limit.
        high: Upper limit.
        is_unstable: It rests on fewer than 20 cases.
    """

    value: float
    low: float
    high: float
    is_unstable: bool


def incidence(cases: int, population: float) -> Rate:
    """Cases per 100,000 persons over the period, not annualised, with the exact Poisson interval (Garwood).

    Args:
        cases: How many there were in the period.
        population: Persons; taken as known without error.

    Raises:
        ValueError: cases are negative, or nobody lives there.

    >>> incidence(10, 100_000)
    Rate(value=10.0, low=4.795388696132434, high=18.39035604201778, is_unstable=True)
    """
    if cases < 0 or population <= 0:
        raise ValueError(f"no incidence of {cases} cases among {population} persons")
    # Here: it takes a second to import, and most who count ask for no rates.
    from scipy.stats import chi2

    low = float(chi2.ppf(_TAIL, 2 * cases)) / 2 if cases else 0.0
    high = float(chi2.ppf(1 - _TAIL, 2 * cases + 2)) / 2
    per = PER / population
    return Rate(cases * per, low * per, high * per, cases < UNSTABLE_BELOW)


def case_fatality(deaths: int, cases: int) -> Rate:
    """Deaths as a share of the cases, 0 to 1, with Wilson's score interval.

    It is called unstable by the number of cases, its denominator.

    Raises:
        ValueError: there are no cases, or more deaths than cases.

    >>> case_fatality(81, 263).low.__round__(4)
    0.2553
    """
    if not 0 <= deaths <= cases or cases == 0:
        raise ValueError(f"no case fatality of {deaths} deaths among {cases} cases")
    from scipy.stats import binomtest

    interval = binomtest(deaths, cases).proportion_ci(method="wilson")
    return Rate(deaths / cases, float(interval.low), float(interval.high), cases < UNSTABLE_BELOW)
