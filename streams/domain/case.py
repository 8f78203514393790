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
        written = [name for name in self.registers if name.startswith(LAB_PREFIX)]
        if not written:
            return {}
        # A `lab` set to null puts back every agent that was written before it.
        reset, _ = self.registers.get(LAB, ("", None))
        results = {}
        for name in sorted(written):
            stamp, value = self.registers[name]
            if value is not None and stamp > reset:
                results[name.removeprefix(LAB_PREFIX)] = value
        return results

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
    value = case.value
    disease = value("disease")
    area_id = value(AREA)
    report_day = case.report_day
    if disease is None or area_id is None or report_day is None or value(RETRACTED):
        return None
    onset_day = value("onset_on") or report_day
    province_id = catalogue.areas[area_id].province_id
    if _is_left_to_tallies(disease, province_id, onset_day, catalogue):
        return None

    classification = value("classification")
    flags = FLAG["notified"] | FLAG[classification]
    if value("origin") == "imported":
        flags |= FLAG["imported"]
    if value("hospitalised"):
        flags |= FLAG["hospitalised"]
    death_day = None
    if case.is_dead and classification != "discarded" and value("death_due_to") != "other":
        flags |= FLAG["deaths"]
        died_at = value("died_at")
        death_day = None if died_at is None else day_of(died_at)

    agents: tuple[str, ...] = ()
    resolved: tuple[tuple[str, str], ...] = ()
    lab = case.lab
    if lab:
        result = overall_result(set(lab.values()))
        if result is not None:
            flags |= FLAG[result]
        agents = tuple([agent for agent, found in lab.items() if found == "positive"])
        resolves_to = catalogue.resolves_to[disease]
        resolved = tuple(
            [
                (agent, to)
                for agent in agents
                if (to := resolves_to.get(agent)) is not None
                and not _is_left_to_tallies(to, province_id, onset_day, catalogue)
            ]
        )
    return Contribution(disease, area_id, onset_day, report_day, death_day, flags, resolved, agents)


def _is_left_to_tallies(disease: str, province_id: str, day: str, catalogue: Catalogue) -> bool:
    """Whether the province's tallies of a disease stand for a day, so that no case may count in it."""
    since = catalogue.case_reports_since.get((disease, province_id))
    return since is not None and day < since


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
