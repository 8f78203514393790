"""The same case under two subjects: found by the code that another system has given it (`external_ids`).

Somebody enters a case with its national code before the export brings it, or imports a list that names codes
of cases that the export has brought. A code that stands at two cases would be one case counted twice.

- A row of the national export has no code of our own: it becomes the case that carries its code, when that
  is one only and of the same disease. What it says is then weighed against what stands there, by time.
- A row that names another case itself is refused, and so is one whose case nobody can tell for certain: one
  of the codes is wrong, or one of the cases is to be retracted as a duplicate. That is for a person to say.
- Two cases that this source has sent before stay as they are, and are told.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from services.importing.line_list import CaseRow
from services.importing.outcome import Fault, Outcome, Repair
from services.importing.sender import RowStore
from services.importing.vocabulary import CASE_ID, EXTERNAL_IDS
from streams.stores.imports import ExternalId, Twin

_MOST_WARNINGS: Final = 20
_PREFIX: Final = f"{EXTERNAL_IDS}."


class Twins(Protocol):
    """The cases that count, by the codes that other systems have given them."""

    def carrying(self, ids: Collection[ExternalId]) -> Mapping[ExternalId, Sequence[Twin]]:
        """The cases that carry each of these codes; codes that none carries are absent.

        Raises:
            DependencyDown: the database does not answer.
        """


class TwinCheck:
    """Looks at the rows of one file."""

    def __init__(self, twins: Twins, store: RowStore, outcome: Outcome) -> None:
        self._twins = twins
        self._store = store
        self._outcome = outcome
        # Of this file, which the fold does not know yet.
        self._seen: dict[ExternalId, str] = {}
        self._told: set[tuple[str, str]] = set()

    def take(self, rows: Sequence[CaseRow]) -> list[CaseRow]:
        """The rows that may go on, under the case that they belong to; the others are noted as rejected."""
        carried = {row.number: list(_ids_of(row)) for row in rows}
        found = self._twins.carrying({key for keys in carried.values() for key in keys})
        sent_before = self._store.known({row.case_id for row in rows if carried[row.number]}) if found else {}
        kept = []
        for row in rows:
            keys = carried[row.number]
            others = [twin for key in keys for twin in found.get(key, ()) if twin.subject != row.case_id]
            others += [
                Twin(subject, row.values.get("disease"))
                for key in keys
                if (subject := self._seen.get(key, row.case_id)) != row.case_id and not row.is_state
            ]
            taken: CaseRow | None = row
            if others and row.case_id in sent_before:
                self._tell(row.case_id, others[0].subject)
            elif others:
                taken = self._resolved(row, others)
            if taken is not None:
                kept.append(taken)
                self._seen.update((key, taken.case_id) for key in keys)
        return kept

    def _resolved(self, row: CaseRow, others: Sequence[Twin]) -> CaseRow | None:
        subjects = {twin.subject for twin in others}
        is_certain = len(subjects) == 1 and all(twin.disease == row.values.get("disease") for twin in others)
        if row.is_state and is_certain:
            (subject,) = subjects
            self._outcome.repaired.append(Repair(row.number, CASE_ID, row.case_id, subject, *_TAKEN))
            return replace(row, case_id=subject)
        named = ", ".join(sorted(subjects))
        self._outcome.rows += 1
        self._outcome.reject(
            row.number,
            [
                Fault(
                    CASE_ID,
                    f"Mã quốc gia của dòng này đã có ở ca {named}, nên nhập vào sẽ đếm hai lần. Nếu là một "
                    "ca: dùng mã ca đó, hoặc rút ca đó (trùng). Nếu là hai ca: sửa mã quốc gia bị ghi sai.",
                    f"Case {named} carries this row's external code already, so it would be counted twice. "
                    "If it is one case: use that case_id, or retract that case as a duplicate. If they are "
                    "two: mend the code that is wrong.",
                )
            ],
        )
        return None

    def _tell(self, subject: str, other: str) -> None:
        pair = (min(subject, other), max(subject, other))
        if pair in self._told or len(self._told) >= _MOST_WARNINGS:
            return
        self._told.add(pair)
        self._outcome.warnings.append(
            (
                f"Ca {pair[0]} và ca {pair[1]} có cùng một mã quốc gia và đang được đếm hai lần. Nếu là một "
                "ca, hãy rút một trong hai (trùng).",
                f"Cases {pair[0]} and {pair[1]} carry the same external code and are counted twice. If they "
                "are one case, retract one of them as a duplicate.",
            )
        )


def _ids_of(row: CaseRow) -> Iterator[ExternalId]:
    for name, value in row.values.items():
        if name.startswith(_PREFIX) and isinstance(value, str):
            yield name.removeprefix(_PREFIX), value


_TAKEN: Final = (
    "Ca đã có ở đây, mang đúng mã quốc gia này và cùng bệnh: dòng được ghi vào ca đó, không đếm hai lần.",
    "The case is here already, with this national code and of the same disease: the row is taken for it, and "
    "not counted twice.",
)
