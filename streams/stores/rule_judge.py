"""The rules with their real ports, for the command line and the watcher."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

from streams.handlers.judge_rules import JudgeRules, Populations, Reporters
from streams.stores.populations import PostgresPopulations
from streams.stores.rule_history import PostgresRuleHistory
from streams.stores.rule_reporters import PostgresReporters
from streams.stores.rules import PostgresRules


@contextmanager
def rules_judge(database_url: str, as_of: datetime | None = None) -> Iterator[JudgeRules]:
    """Judges by what stands in a database; to be used by one thread at a time.

    Args:
        database_url: Which database.
        as_of: Only what was known at an instant; None: all that is known.
    """
    rules, history = PostgresRules(database_url), PostgresRuleHistory(database_url, as_of)
    people = RememberedPeople(PostgresPopulations(database_url), PostgresReporters(database_url))
    try:
        yield JudgeRules(rules, history, people, people)
    finally:
        rules.close()
        history.close()


class RememberedPeople:
    """Populations and reporters, asked once per area and day judged.

    A watcher judges an area many times a minute; neither answer changes within a day but by a new file of
    populations, which counts from the next day on.
    """

    def __init__(self, populations: Populations, reporters: Reporters) -> None:
        self._populations = populations
        self._reporters = reporters
        self._on: date | None = None
        self._people: dict[str, int | None] = {}
        self._silent: dict[tuple[str, int], Sequence[str] | None] = {}

    def population(self, area_id: str, on: date) -> int | None:
        """As the port behind it says."""
        self._forget_other_days(on)
        if area_id not in self._people:
            self._people[area_id] = self._populations.population(area_id, on)
        return self._people[area_id]

    def silent(self, area_id: str, on: date, days: int) -> Sequence[str] | None:
        """As the port behind it says."""
        self._forget_other_days(on)
        if (area_id, days) not in self._silent:
            self._silent[area_id, days] = self._reporters.silent(area_id, on, days)
        return self._silent[area_id, days]

    def _forget_other_days(self, on: date) -> None:
        if on != self._on:
            self._on, self._people, self._silent = on, {}, {}
