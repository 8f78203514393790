"""Which fields of the national case form a case has filled in.

The fields are those of Mẫu 01 of QĐ 97/QĐ-PB 2026 (PL I) and of the required fields of a public web client
with the printed forms of TT 54/2015, but for personal identifiers, which no event holds. A field that
another answer makes pointless (the day of discharge of an out-patient) is not asked for.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from streams.domain.case import AREA, Case


class FormField(NamedTuple):
    """A field of the form.

    Attributes:
        name: As in the contract.
        is_asked: Whether the form asks for it, given the case and the severities that its disease knows.
        is_filled: Whether it has an answer.
    """

    name: str
    is_asked: Callable[[Case, bool], bool]
    is_filled: Callable[[Case], bool]


def _always(_case: Case, _has_severities: bool) -> bool:
    return True


def _written(name: str) -> Callable[[Case], bool]:
    return lambda case: _answer(case, name) is not None


def _known(name: str) -> Callable[[Case], bool]:
    """Written, and not as "unknown"."""
    return lambda case: _answer(case, name) not in (None, "unknown")


def _answer(case: Case, name: str) -> Any:
    """What somebody wrote; a default that nobody wrote is no answer."""
    register = case.registers.get(name)
    return None if register is None else register[1]


def _in_hospital(case: Case, _has_severities: bool) -> bool:
    return _answer(case, "hospitalised") is True


def _left_hospital(case: Case, _has_severities: bool) -> bool:
    return _answer(case, "hospitalised") is True and case.value("outcome") in ("recovered", "transferred")


def _tested(case: Case, _has_severities: bool) -> bool:
    return any(result != "not_tested" for result in case.lab.values())


def _dead(case: Case, _has_severities: bool) -> bool:
    return case.is_dead


def _in_commune(case: Case) -> bool:
    area_id = _answer(case, AREA)
    # An area's id begins with its official code: five digits are a commune's.
    return area_id is not None and len(str(area_id).partition("@")[0]) == 5


FORM: Final[tuple[FormField, ...]] = (
    FormField("commune", _always, _in_commune),
    FormField("sex", _always, _known("sex")),
    FormField("age_years", _always, _written("age_years")),
    FormField("occupation", _always, _written("occupation")),
    FormField("onset_on", _always, _written("onset_on")),
    FormField("classification", _always, _written("classification")),
    FormField("lab", _always, lambda case: bool(case.lab)),
    FormField("hospitalised", _always, _written("hospitalised")),
    # "Không rõ" is one of the form's own answers.
    FormField("vaccination", _always, _written("vaccination")),
    FormField("outcome", _always, lambda case: case.is_dead or _known("outcome")(case)),
    FormField("severity", lambda _case, has_severities: has_severities, _written("severity")),
    FormField("doses", lambda case, _: _answer(case, "vaccination") == "yes", _written("doses")),
    FormField("sampled_on", _tested, _written("sampled_on")),
    FormField("test_type", _tested, _written("test_type")),
    FormField("admitted_on", _in_hospital, _written("admitted_on")),
    FormField("treating_facility", _in_hospital, _written("treating_facility")),
    FormField("discharged_on", _left_hospital, _written("discharged_on")),
    FormField("died_at", _dead, _written("died_at")),
    FormField(
        "origin_area_code",
        lambda case, _: case.value("origin") == "imported",
        _written("origin_area_code"),
    ),
)
"""In the order in which they are shown."""


class FieldShare(NamedTuple):
    """Of the cases that a field is asked of, how many have it."""

    asked: int
    filled: int

    @property
    def share(self) -> float | None:
        """None where the field is asked of no case."""
        return self.filled / self.asked if self.asked else None


class Completeness(NamedTuple):
    """How complete some cases are.

    Attributes:
        cases: How many there are.
        complete: Cases with every field that is asked of them.
        fields: By name, in the order of the form.
    """

    cases: int
    complete: int
    fields: Mapping[str, FieldShare]

    @property
    def complete_share(self) -> float | None:
        """Share of the cases that lack nothing; None where there is no case."""
        return self.complete / self.cases if self.cases else None

    @property
    def filled_share(self) -> float | None:
        """Share of all fields asked for that are filled; None where there is no case."""
        asked = sum(field.asked for field in self.fields.values())
        return sum(field.filled for field in self.fields.values()) / asked if asked else None


def completeness(cases: Iterable[tuple[Case, bool]]) -> Completeness:
    """Look through the forms of some cases.

    Args:
        cases: Each with whether its disease has severities, which makes `severity` a field of its form.
    """
    asked = dict.fromkeys((field.name for field in FORM), 0)
    filled = dict(asked)
    n = complete = 0
    for case, has_severities in cases:
        n += 1
        lacks_nothing = True
        for field in FORM:
            if not field.is_asked(case, has_severities):
                continue
            asked[field.name] += 1
            if field.is_filled(case):
                filled[field.name] += 1
            else:
                lacks_nothing = False
        complete += lacks_nothing
    return Completeness(n, complete, {name: FieldShare(asked[name], filled[name]) for name in asked})
