"""Sentences from templates: nothing is left open, nothing is given that is not used."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from streams.domain.report.facts import Figure, Share
from streams.domain.report.language import Lang, cardinal, percent

_HOLE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as the text has it."""

    text: str
    figure: Figure | Share


@dataclass(frozen=True, slots=True)
class Mark:
    """A reference to a footnote, by its number."""

    number: int

    @property
    def text(self) -> str:
        """As plain text has it."""
        return f"[{self.number}]"


Part = str | Shown | Mark
Parts = tuple[Part, ...]


def plain(parts: Iterable[Part]) -> str:
    """The text of some parts."""
    return "".join(part if isinstance(part, str) else part.text for part in parts)


@dataclass(frozen=True, slots=True)
class Sentences:
    """The templates of one language, as data.

    Attributes:
        templates: Key -> text with {holes}.
        overrides: Disease -> key -> text that takes the place of the common one.
        nouns: Key -> one form, or the forms for one and for many.
        names: Group -> code -> word, e.g. of the states of an alert.
    """

    lang: Lang
    templates: Mapping[str, str]
    overrides: Mapping[str, Mapping[str, str]]
    nouns: Mapping[str, str | Sequence[str]]
    names: Mapping[str, Mapping[str, str]]

    def say(self, key: str, of: str | None = None, /, **values: Any) -> Parts:
        """A template with its holes filled.

        Args:
            key: Of the template.
            of: Disease whose own wording is taken where it has one.
            values: For each hole text, a Shown, or parts.

        Raises:
            ValueError: a hole is left, or a value has no hole.
        """
        template = self.overrides.get(of or "", {}).get(key) or self.templates[key]
        parts: list[Part] = []
        used: set[str] = set()
        for place, piece in enumerate(_HOLE.split(template)):
            if place % 2 == 0:
                parts.append(piece)
                continue
            if piece not in values:
                raise ValueError(f"{key}: nothing for {{{piece}}}")
            used.add(piece)
            value = values[piece]
            parts.extend(value if isinstance(value, tuple) else (value,))
        if unused := set(values) - used:
            raise ValueError(f"{key}: no hole for {', '.join(sorted(unused))}")
        return tuple(part for part in parts if part != "")

    def number(self, figure: Figure) -> Shown:
        """A figure; a change is shown without its sign."""
        return Shown(cardinal(abs(figure.value), self.lang), figure)

    def share(self, share: Share) -> Shown:
        """A percentage."""
        return Shown(percent(share.value, self.lang), share)

    def count(self, noun: str, figure: Figure) -> Parts:
        """A figure with what it counts: "03 trường hợp", "1 case", "3 cases"."""
        forms = self.nouns[noun]
        if isinstance(forms, str):
            return (self.number(figure), f" {forms}")
        return (self.number(figure), f" {forms[0] if abs(figure.value) == 1 else forms[1]}")

    def place(self, name: str) -> str:
        """The name of an area within a sentence: "Huyện Sìn Hồ" becomes "huyện Sìn Hồ"."""
        for kind, form in self.names["kinds"].items():
            if name.startswith(f"{kind} "):
                return form.replace("*", name.removeprefix(f"{kind} "))
        return name

    def listed(self, items: Sequence[Parts]) -> Parts:
        """A, B và C."""
        if len(items) <= 1:
            return items[0] if items else ()
        return (*self.joined(items[:-1]), self.templates["and"], *items[-1])

    @staticmethod
    def joined(items: Sequence[Parts], by: str = ", ") -> Parts:
        """A, B, C."""
        return tuple(_between(items, by))


def _between(items: Sequence[Parts], by: str) -> Iterator[Part]:
    for number, item in enumerate(items):
        if number:
            yield by
        yield from item
