"""Some cases of one disease in one place, grouped by what a form asks of them: day, hamlet, sex, age."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, get_args

from streams.domain.case import Case
from streams.domain.counts import FLAG
from streams.domain.quality import AGE_BANDS, age_band

GroupedBy = Literal["day", "hamlet", "sex", "age"]
GROUPED_BY: Final[tuple[GroupedBy, ...]] = get_args(GroupedBy)

_COUNTERS: Final = ("deaths", "positive", "negative", "pending", "imported")
_TESTED: Final = FLAG["positive"] | FLAG["negative"] | FLAG["pending"]
_AGES: Final = (*(name for name, _ in AGE_BANDS), "age_65_up", "age_unknown")


def group_cases(cases: Iterable[Case], by: Sequence[GroupedBy]) -> list[dict[str, Any]]:
    """How many cases there are of each group, in the groups' order.

    Args:
        cases: Each with a contribution.
        by: Columns; none: one row for all, or no row where there is no case.

    Returns:
        Rows with the columns of `by` (day: the case's own, of onset, else of its report; hamlet None where it
        is not known; sex; age: a band of streams/domain/quality.py), then cases, tested (even a pending
        result), and deaths, positive, negative, pending, imported as `canhdich counts` has them.
    """
    found: dict[tuple[str | None, ...], dict[str, int]] = {}
    for case in cases:
        contribution = case.contribution
        if contribution is None:
            raise ValueError("a case that does not count is in no group")
        values = {
            "day": contribution.onset_day,
            "hamlet": case.value("hamlet"),
            "sex": case.value("sex"),
            "age": age_band(case.value("age_years")),
        }
        row = found.setdefault(
            tuple(values[name] for name in by), dict.fromkeys(("cases", "tested", *_COUNTERS), 0)
        )
        row["cases"] += 1
        row["tested"] += bool(contribution.flags & _TESTED)
        for name in _COUNTERS:
            row[name] += bool(contribution.flags & FLAG[name])
    keys = sorted(found, key=lambda key: [_rank(value) for value in key])
    return [{**dict(zip(by, key, strict=True)), **found[key]} for key in keys]


def _rank(value: str | None) -> tuple[int, str]:
    if value is None:
        return 1, ""
    return (_AGES.index(value), value) if value in _AGES else (0, value)
