"""What has changed in a period's counts since they were last reported: sentences about groups of cases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from streams.domain.report.facts import Figure, Query
from streams.domain.report.situation import Paragraph
from streams.domain.report.text import Parts, Sentences

ChangeKind = Literal[
    "new", "late", "withdrawn", "moved", "other_disease", "other_month", "entered", "left", "died", "not_dead"
]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands in the counts. `is_within`: in the province and the period of the report."""

    disease: str
    commune: str
    district: str
    day: date
    is_dead: bool
    is_within: bool

    @property
    def month(self) -> str:
        """ "7/2023"."""
        return f"{self.day.month}/{self.day.year}"


@dataclass(frozen=True, slots=True)
class CaseChange:
    """One case between two instants; None: it did not count."""

    subject: str
    before: Standing | None
    after: Standing | None


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that changed alike. `was` and `now`: the place, disease or month that changed."""

    kind: ChangeKind
    disease: str
    month: str
    place: str
    was: str
    now: str
    subjects: tuple[str, ...]


def groups_of(changes: Iterable[CaseChange], since: date) -> list[Group]:
    """Changes of cases, those alike together; a case that moved and died is in two groups.

    Args:
        changes: Of every case that moved.
        since: Local day of the earlier instant: a case of a day up to then that comes after it is late.
    """
    found: dict[_Key, list[str]] = {}
    for change in changes:
        for key in _keys(change, since):
            found.setdefault(key, []).append(change.subject)
    groups = [Group(*key, subjects=tuple(sorted(subjects))) for key, subjects in found.items()]
    return sorted(groups, key=lambda group: (group.disease, group.kind, group.month, group.place, group.was))


_Key = tuple[ChangeKind, str, str, str, str, str]


def _keys(change: CaseChange, since: date) -> Iterable[_Key]:
    before = change.before if change.before is not None and change.before.is_within else None
    after = change.after if change.after is not None and change.after.is_within else None
    if before is None and after is None:
        return
    if after is None:
        assert before is not None  # noqa: S101 - one of them is within
        gone: ChangeKind = "withdrawn" if change.after is None else "left"
        yield (gone, before.disease, before.month, before.district, "", "")
    elif before is None:
        come: ChangeKind = "entered"
        if change.before is None:
            come = "late" if after.day <= since else "new"
        # Where the new cases are says the report itself.
        yield (come, after.disease, after.month, "" if come == "new" else after.district, "", "")
        if after.is_dead:
            yield ("died", after.disease, after.month, after.district, "", "")
    else:
        yield from _differences(before, after)


def _differences(before: Standing, after: Standing) -> Iterable[_Key]:
    at = (after.disease, after.month, after.district)
    if before.disease != after.disease:
        yield ("other_disease", *at, before.disease, after.disease)
    if before.district != after.district:
        yield ("moved", *at, before.district, after.district)
    elif before.commune != after.commune:
        yield ("moved", *at, before.commune, after.commune)
    if before.month != after.month:
        yield ("other_month", *at, before.month, after.month)
    if before.is_dead != after.is_dead:
        yield ("died" if after.is_dead else "not_dead", *at, "", "")


def write_changes(
    groups: Sequence[Group], labels: dict[str, tuple[str, str]], query: Query, sentences: Sentences
) -> list[Paragraph]:
    """A sentence for each group; one that says so where nothing has changed.

    Args:
        groups: Of groups_of.
        labels: Disease -> its label in Vietnamese and English.
        query: The question that they answer.
        sentences: The templates.
    """
    if not groups:
        return [Paragraph(sentences.say("no_changes"))]
    return [Paragraph(_sentence(group, labels, query, sentences), is_item=True) for group in groups]


def _sentence(group: Group, labels: dict[str, tuple[str, str]], query: Query, sentences: Sentences) -> Parts:
    def label(code: str) -> str:
        return labels[code][0 if sentences.lang == "vi" else 1]

    values: dict[str, str] = {}
    if group.kind == "other_disease":
        values = {"was": label(group.was), "now": label(group.now)}
    elif group.kind in ("moved", "other_month"):
        unknown = sentences.templates["unknown_place"]
        values = {"was": group.was or unknown, "now": group.now or unknown}
        if group.kind == "moved":
            values = {name: sentences.place(value) for name, value in values.items()}
    elif group.kind in ("late", "withdrawn", "died", "not_dead"):
        values = {"place": sentences.place(group.place) or sentences.templates["unknown_place"]}
    return sentences.say(
        f"change_{group.kind}",
        disease=label(group.disease),
        month=group.month,
        cases=sentences.count("case", Figure(len(group.subjects), query)),
        **values,
    )
