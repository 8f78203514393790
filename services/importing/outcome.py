"""What became of every row of a file, as the command tells it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from schemas.events import Problem

SkipReason = Literal["title", "blank", "total", "repeated_header"]

SKIPPED_BECAUSE: dict[SkipReason, tuple[str, str]] = {
    "title": ("Dòng tiêu đề, nằm trên dòng tên cột.", "A title, above the row of column names."),
    "blank": ("Dòng trống.", "An empty row."),
    "total": ("Dòng cộng, không phải một ca.", "A total, not a case."),
    "repeated_header": ("Dòng tên cột lặp lại.", "The row of column names once more."),
}

WHOLE_ROW = "row"
"""The field of a fault that no single column has."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a row, and what to do; never repeats what may identify a person."""

    field: str
    message_vi: str
    message_en: str


class BadCell(ValueError):
    """A cell whose text has no place in its column."""

    def __init__(self, message_vi: str, message_en: str) -> None:
        super().__init__(message_en)
        self.message_vi = message_vi
        self.message_en = message_en

    def fault(self, field_name: str) -> Fault:
        """The fault of the column in which the cell stands."""
        return Fault(field_name, self.message_vi, self.message_en)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not sent, with everything that is known to be wrong with it."""

    row: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows that hold no case; `rows` of them, one after the other."""

    row: int
    rows: int
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Repair:
    """A cell that was not understood as it stands, but for certain: `found` became `taken`."""

    row: int
    field: str
    found: str
    taken: str
    message_vi: str
    message_en: str


@dataclass(slots=True)
class Outcome:
    """The sum of an import.

    Attributes:
        rows: Rows that should hold a case (or lines that should hold an event).
        created: Rows sent as a first report.
        updated: Rows sent as a change of what was reported before.
        unchanged: Rows that say what was sent before.
        parked: Of those sent: events whose disease or area the catalogue in force does not know.
        resent: Events of an earlier import that had not reached Kafka, sent now.
        rejected: In the order in which they were found.
        ignored_columns: Columns that nobody read.
        warnings: (Vietnamese, English) about the file as a whole.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    parked: int = 0
    resent: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    repaired: list[Repair] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)

    def reject(self, row: int, faults: Iterable[Fault]) -> None:
        """Note a row that is not sent."""
        self.rejected.append(Rejection(row, tuple(faults)))

    def document(self) -> dict[str, Any]:
        """As `--json` prints it, rows in the order of the file."""
        return {
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "parked": self.parked,
            "resent": self.resent,
            "rejected": [_rejected(rejection) for rejection in self.in_order()],
            "skipped": [
                {
                    "row": skip.row,
                    "rows": skip.rows,
                    "reason": skip.reason,
                    "message": SKIPPED_BECAUSE[skip.reason][0],
                    "message_en": SKIPPED_BECAUSE[skip.reason][1],
                }
                for skip in self.skipped
            ],
            "repaired": [
                {
                    "row": repair.row,
                    "field": repair.field,
                    "from": repair.found,
                    "to": repair.taken,
                    "message": repair.message_vi,
                    "message_en": repair.message_en,
                }
                for repair in sorted(self.repaired, key=lambda repair: repair.row)
            ],
            "ignored_columns": self.ignored_columns,
            "warnings": [{"message": vi, "message_en": en} for vi, en in self.warnings],
        }

    def in_order(self) -> list[Rejection]:
        """The rejected rows in the order of the file."""
        return sorted(self.rejected, key=lambda rejection: rejection.row)


def _rejected(rejection: Rejection) -> dict[str, Any]:
    first, *others = (
        {"field": f.field, "message": f.message_vi, "message_en": f.message_en} for f in rejection.faults
    )
    shown: dict[str, Any] = {"row": rejection.row, **first}
    if others:
        shown["also"] = others
    return shown


def column_fault(problem: Problem) -> Fault:
    """A problem of an event as a fault of the column from which the value came.

    >>> column_fault(Problem("data.onset_on", "in_future", "…", "…")).field
    'onset_on'
    """
    name = _COLUMNS.get(problem.field, problem.field) or WHOLE_ROW
    return Fault(name.removeprefix("data."), problem.message_vi, problem.message_en)


_COLUMNS = {"subject": "case_id", "id": "event_id", "time": "event_time", "source": "--source"}
