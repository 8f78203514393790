"""What became of every row of a file, as the command tells it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from schemas.events import Problem

SkipReason = Literal["title", "blank", "total", "repeated_header", "footer", "older"]

SKIPPED_BECAUSE: dict[SkipReason, tuple[str, str]] = {
    "title": ("Dòng tiêu đề, nằm trên dòng tên cột.", "A title, above the row of column names."),
    "blank": ("Dòng trống.", "An empty row."),
    "total": ("Dòng cộng, không phải một ca.", "A total, not a case."),
    "repeated_header": ("Dòng tên cột lặp lại.", "The row of column names once more."),
    "footer": ("Dòng ghi chú hoặc chữ ký cuối bảng, không phải một ca.", "A note or signature, not a case."),
    "older": (
        "Bản cũ hơn bản đã nhập của cùng ca; giữ bản mới.",
        "Older than what was imported of this case; the newer one stands.",
    ),
}

WHOLE_ROW = "row"
"""The field of a fault that no single column has."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a doubtful text may mean.

    Attributes:
        code: Of the catalogue.
        name: In Vietnamese.
        on: A day on which an area's code means this area; None for a disease.
    """

    code: str
    name: str
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A text that resembles names of the catalogue, for a person to decide; never a person's name itself.

    Attributes:
        text: As it stands in the file; "commune, district, province" for a place.
        candidates: The likeliest first.
    """

    text: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a row, and what to do; never repeats what may identify a person.

    `question` is set where a person can decide once what the text means (`canhdich meanings`).
    """

    field: str
    message_vi: str
    message_en: str
    question: Question | None = None


class BadCell(ValueError):
    """A cell whose text has no place in its column."""

    def __init__(self, message_vi: str, message_en: str, question: Question | None = None) -> None:
        super().__init__(message_en)
        self.message_vi = message_vi
        self.message_en = message_en
        self.question = question

    def fault(self, field_name: str) -> Fault:
        """The fault of the column in which the cell stands."""
        return Fault(field_name, self.message_vi, self.message_en, self.question)


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


What = Literal["created", "updated", "unchanged", "rejected"]


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row.

    Attributes:
        row: Its number in the file.
        what: As the sums call it.
        subject: The case's own code; empty for a rejected row.
        fields: What is sent of an updated case.
    """

    row: int
    what: What
    subject: str = ""
    fields: tuple[str, ...] = ()


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
        results: Number → what became of it, of every row of a case but the rejected.
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
    results: dict[int, RowResult] = field(default_factory=dict)

    @property
    def doubtful(self) -> int:
        """How many of the rejected rows wait for somebody to say what a text means."""
        return sum(any(fault.question for fault in row.faults) for row in self.rejected)

    def questions(self) -> dict[tuple[str, Question], int]:
        """(field, question) → how many rows wait for its answer."""
        asked = Counter(
            (fault.field, fault.question) for row in self.rejected for fault in row.faults if fault.question
        )
        return dict(asked)

    def each_row(self) -> list[RowResult]:
        """What became of every row, in the order of the file."""
        rejected = (RowResult(row.row, "rejected") for row in self.rejected)
        return sorted((*self.results.values(), *rejected), key=lambda result: result.row)

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
            "doubtful": self.doubtful,
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


def _fault(fault: Fault) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "field": fault.field,
        "message": fault.message_vi,
        "message_en": fault.message_en,
    }
    if fault.question is not None:
        shown["text"] = fault.question.text
        shown["candidates"] = [
            {"code": found.code, "name": found.name} | ({"on": found.on.isoformat()} if found.on else {})
            for found in fault.question.candidates
        ]
    return shown


def _rejected(rejection: Rejection) -> dict[str, Any]:
    first, *others = map(_fault, rejection.faults)
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
