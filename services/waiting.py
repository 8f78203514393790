"""Wait until records that Kafka has are counted."""

import time
from collections.abc import Callable, Mapping

from schemas.sql import query
from streams.domain.errors import DependencyDown
from streams.stores import database

_LOOK_EVERY = 0.1


def wait_until_counted(
    database_url: str,
    topic: str,
    last_offsets: Mapping[int, int],
    *,
    timeout: float = 600,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Return when every partition is folded past the last of our offsets.

    Args:
        database_url: Where the positions are.
        topic: Full name of the topic, prefix included.
        last_offsets: Partition -> offset of the last record that was sent there.
        timeout: Longest wait in seconds.
        advance: Called with the number of records folded since the last call.

    Raises:
        DependencyDown: not counted in time; says how many are missing and what to look at.
    """
    deadline = time.monotonic() + timeout
    missing_before: int | None = None
    with database.errors_translated(), database.connect(database_url) as connection:
        while True:
            rows = connection.execute(query("positions"), {"topic": topic}).fetchall()
            folded = {partition: next_offset for partition, _, _, next_offset, *_ in rows}
            missing = sum(max(0, last + 1 - folded.get(p, 0)) for p, last in last_offsets.items())
            if missing_before is not None and missing_before > missing:
                advance(missing_before - missing)
            missing_before = missing
            if not missing:
                return
            if time.monotonic() > deadline:
                raise DependencyDown(
                    f"{missing:,} record(s) of {topic} are in Kafka but not counted after {timeout:.0f} s. "
                    "Nothing is lost: is a worker running? `canhdich up` starts it, `canhdich doctor` looks."
                )
            time.sleep(_LOOK_EVERY)
