"""The fold: a case is the set of its events, whatever their order.

Every field is a last-writer-wins register ordered by (time, id), so the state depends on the set of
events alone. Two registers keep the smallest stamp instead, which is as free of order.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from streams.domain.calendar import day_of, local_day
from streams.domain.catalogue import Catalogue
from streams.domain.counts import FLAG, Contribution

Kind = Literal["reported", "updated", "retracted"]
Stamp = str
"""48 hexadecimal digits: microseconds since 1970 (16), then the event id (32). Text order is stamp order."""

Register = tuple[Stamp, Any]

AREA: Final = "area_id"
RETRACTED: Final = "retracted"
LAB: Final = "lab"
LAB_PREFIX: Final = "lab."
FIRST_REPORTED: Final = "first_reported"
FIRST_EVENT: Final = "first_event"

DEFAULTS: Final[dict[str, Any]] = {
    "classification": "suspected",
    "outcome": "unknown",
    "death_due_to": "this_disease",
    "origin": "unknown",
    "sex": "unknown",
    "vaccination": "unknown",
}
"""What stands where no event wrote; every other field is None."""


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event as the fold sees it: codes resolved, values as JSON has them (days as ISO text).

    `writes` are the registers that the event sets; a None value puts a field back to its default.
    """

    subject: str
    event_id: UUID
    time: int
    kind: Kind
    writes: tuple[tuple[str, Any], ...]

    @property
    def stamp(self) -> Stamp:
        """The place of this event in the order of writers."""
        return f"{self.time:016x}{self.event_id.hex}"


@dataclass(slots=True)
class Case:
    """The registers of one case, and what it adds to the counts at present."""

    registers: dict[str, Register] = field(default_factory=dict)
    contribution: Contribution | None = None

    def apply(self, event: CaseEvent) -> None:
        """Fold one event into the registers. Applying it again changes nothing."""
        stamp = event.stamp
        registers = self.registers
        for name, value in event.writes:
            known = registers.get(name)
            if known is None or stamp > known[0]:
                registers[name] = (stamp, value)
        if event.kind == "reported":
            self._write(RETRACTED, stamp, None)
            self._write_first(FIRST_REPORTED, stamp, event.time)
        self._write_first(FIRST_EVENT, stamp, event.time)

    def _write(self, name: str, stamp: Stamp, value: Any) -> None:
        known = self.registers.get(name)
        if known is None or stamp > known[0]:
            self.registers[name] = (stamp, value)

    def _write_first(self, name: str, stamp: Stamp, time: int) -> None:
        known = self.registers.get(name)
        if known is None or stamp < known[0]:
            self.registers[name] = (stamp, local_day(time))

    def value(self, name: str) -> Any:
        """The present value of a field, or its default."""
        known = self.registers.get(name)
        if known is None or known[1] is None:
            return DEFAULTS.get(name)
        return known[1]

    @property
    def lab(self) -> dict[str, str]:
        """The present result per agent, by agent code."""
        # A `lab` set to null puts back every agent that was written before it.
        reset = self.registers.get(LAB)
        return {
            name.removeprefix(LAB_PREFIX): value
            for name, (stamp, value) in sorted(self.registers.items())
            if name.startswith(LAB_PREFIX) and value is not None and (reset is None or stamp > reset[0])
        }

    @property
    def is_dead(self) -> bool:
        """A day of death makes the outcome read dead, whatever it says."""
        return self.value("outcome") == "dead" or self.value("died_at") is not None

    @property
    def report_day(self) -> str | None:
        """`reported_on`, else the local day of the first `reported` event.

        A case known from updates alone (its report is still under way) takes its first event's day.
        """
        day: str | None = self.value("reported_on") or self.value(FIRST_REPORTED) or self.value(FIRST_EVENT)
        return day


def overall_result(results: set[str]) -> str | None:
    """Positive if any agent is, else pending if any is, else negative if any is, else None."""
    for result in ("positive", "pending", "negative"):
        if result in results:
            return result
    return None


def contribution_of(case: Case, catalogue: Catalogue) -> Contribution | None:
    """What the case adds to the counts; None when it does not count.

    A case counts when it has a disease and a known area, is not retracted, and does not belong to the
    days for which its province's tallies stand (`case_reports_since`).
    """
    disease = case.value("disease")
    area_id = case.value(AREA)
    report_day = case.report_day
    if disease is None or area_id is None or report_day is None or case.value(RETRACTED):
        return None
    onset_day = case.value("onset_on") or report_day
    since = catalogue.case_reports_since.get((disease, catalogue.areas[area_id].province_id))
    if since is not None and onset_day < since:
        return None

    lab = case.lab
    classification = case.value("classification")
    flags = FLAG["notified"] | FLAG[classification]
    result = overall_result(set(lab.values()))
    if result is not None:
        flags |= FLAG[result]
    if case.value("origin") == "imported":
        flags |= FLAG["imported"]
    if case.value("hospitalised"):
        flags |= FLAG["hospitalised"]
    death_day = None
    if case.is_dead and classification != "discarded" and case.value("death_due_to") != "other":
        flags |= FLAG["deaths"]
        died_at = case.value("died_at")
        death_day = None if died_at is None else day_of(died_at)

    agents = tuple(agent for agent, found in lab.items() if found == "positive")
    resolves_to = catalogue.resolves_to[disease]
    resolved = tuple((agent, resolves_to[agent]) for agent in agents if agent in resolves_to)
    return Contribution(disease, area_id, onset_day, report_day, death_day, flags, resolved, agents)


def state_of(case: Case) -> dict[str, Any]:
    """Every field's present value as a reader sees it, defaults filled in."""
    names = (name for name in case.registers if not name.startswith(LAB_PREFIX))
    hidden = {LAB, RETRACTED, FIRST_REPORTED, FIRST_EVENT}
    state = {**DEFAULTS, **{name: case.value(name) for name in sorted(names) if name not in hidden}}
    state["lab"] = case.lab
    state["outcome"] = "dead" if case.is_dead else state["outcome"]
    state["reported_on"] = case.report_day
    state["retracted"] = bool(case.value(RETRACTED))
    return {name: value for name, value in state.items() if value is not None}
