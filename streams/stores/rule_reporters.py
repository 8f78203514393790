"""Silent reporters as the rules ask for them."""

from collections.abc import Sequence
from datetime import date

from streams.domain.areas import code_of
from streams.stores.database import connect, errors_translated
from streams.stores.scope import Scope
from streams.stores.silence import read_silence


class PostgresReporters:
    """Implements the Reporters port of streams/handlers/judge_rules.py for (surveillance) districts."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def silent(self, area_id: str, on: date, days: int) -> Sequence[str]:
        """Codes of the reporters whose silence is out of habit and has lasted so many days in whole weeks.

        Raises:
            ConfigurationError: the area was no district on that day.
            DependencyDown: the database does not answer.
        """
        with errors_translated(), connect(self._database_url) as connection:
            found = read_silence(connection, Scope(geography_on=on, district=code_of(area_id)), on)
        return [
            row["reporter"] for row in found if row["state"] == "silent" and row["silent_weeks"] * 7 >= days
        ]
