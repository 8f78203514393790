"""The one error of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: in which file, in which entry, and what."""

    file: str
    entry: str
    fault: str

    def __str__(self) -> str:
        return f"{self.file}: {self.entry}: {self.fault}"


class CatalogueError(Exception):
    """The catalogue's files are not usable; nothing of them is loaded.

    Attributes:
        faults: Every fault found in the step that failed: the syntax of all files, then their entries, then
            what they say about each other.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [str(fault) for fault in self.faults[:_SHOWN]]
        if len(self.faults) > _SHOWN:
            lines.append(f"and {len(self.faults) - _SHOWN} more")
        super().__init__("\n".join(lines))
