"""Small rule books, areas and histories to judge: what a test does not name is as in the package."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any

from schemas.catalogue import load_catalogue
from schemas.catalogue.rules import compose
from streams.domain.calendar import Period, month, same_week
from streams.domain.rules import (
    CaseFact,
    Facts,
    JudgedArea,
    RuleBook,
    Settings,
    Standing,
    Verdict,
    book_from,
    judge_all,
)

AREA = JudgedArea("03390@2025-07-01", "commune", "Xã Bình Lư", "12@2025-07-01")
LONG_KNOWN = date(2010, 1, 1)


@cache
def packaged_book() -> RuleBook:
    """The rules that come with the package."""
    composed = compose(load_catalogue())
    return book_from(1, composed.version, composed.content)


def book(
    settings: Mapping[str, Any] | None = None,
    endemic: Mapping[tuple[str, str], bool] | None = None,
    **parts: Any,
) -> RuleBook:
    """The packaged rules with other readings or flags."""
    return replace(
        packaged_book(), settings=Settings(**(settings or {})), endemic_communes=dict(endemic or {}), **parts
    )


def case(onset: str, report: str | None = None, **fields: Any) -> CaseFact:
    """A suspected case; reported on the day of onset unless said otherwise (days as ISO text)."""
    return CaseFact(
        date.fromisoformat(onset),
        date.fromisoformat(report or onset),
        **{"classification": "suspected", **fields},
    )


def cases(number: int, onset: str, report: str | None = None, **fields: Any) -> list[CaseFact]:
    """So many alike."""
    return [case(onset, report, **fields) for _ in range(number)]


def in_weeks(iso_year: int, week: int, counts: Iterable[int]) -> dict[date, int]:
    """Cases by day of onset: one week of the years before, oldest year first."""
    listed = list(counts)
    years = range(iso_year - len(listed), iso_year)
    return {same_week(year, week).first: n for year, n in zip(years, listed, strict=True) if n}


def in_months(year: int, number: int, counts: Iterable[int]) -> dict[date, int]:
    """Cases by day of onset: one month of the years before, oldest year first."""
    listed = list(counts)
    years = range(year - len(listed), year)
    return {month(past, number).last: n for past, n in zip(years, listed, strict=True) if n}


def every_year(present: int, years: int = 5, day: tuple[int, int] = (2, 14)) -> dict[date, int]:
    """A case in each of the years before, far from the season: the disease is endemic in the commune."""
    return {date(past, *day): 1 for past in range(present - years, present)}


def facts(by_onset: Mapping[date, int], seen: Sequence[CaseFact] = (), **fields: Any) -> Facts:
    """What is known; the records reach far back unless said otherwise."""
    return Facts(cases=seen, by_onset=by_onset, **{"known_from": LONG_KNOWN, **fields})


def judged(
    disease: str,
    on: str,
    known: Facts,
    rules: RuleBook | None = None,
    area: JudgedArea = AREA,
    standing: Collection[Standing] = (),
    determined_at: datetime | None = None,
) -> dict[str, Verdict]:
    """The present verdict of every rule, by its id."""
    verdicts = all_judged(disease, on, known, rules, area, standing, determined_at)
    by_rule: dict[str, Verdict] = {}
    for verdict in verdicts:
        by_rule.setdefault(verdict.rule_id, verdict)
    return by_rule


def all_judged(
    disease: str,
    on: str,
    known: Facts,
    rules: RuleBook | None = None,
    area: JudgedArea = AREA,
    standing: Collection[Standing] = (),
    determined_at: datetime | None = None,
) -> list[Verdict]:
    """Every verdict, those about past periods last."""
    return judge_all(
        rules or packaged_book(), disease, area, known, date.fromisoformat(on), standing, determined_at
    )


def days(first: str, last: str) -> Period:
    """A period by ISO days."""
    return Period(date.fromisoformat(first), date.fromisoformat(last))
