"""From when on something is a problem: for `canhdich doctor` and for the rules in deploy/prometheus alike."""

from typing import Final

LAG_RECORDS: Final = 10_000
"""More records than these in Kafka and not folded."""

DEAD_SHARE: Final = 0.05
"""A larger part than this of what came within the last hour in the dead letters,"""
DEAD_LEAST: Final = 5
"""and at least so many: one bad record in a quiet night is no alarm."""

CANARY_WAITING_SECONDS: Final = 120
"""A canary that Kafka has and that is not in the database after this."""
CANARY_MISSED: Final = 3
"""So many canaries in a row that did not arrive, whyever."""

AUDIT_ROUND_SECONDS: Final = 900
"""Since the last round of the audit."""
AUDIT_SWEEP_TIMES: Final = 2
"""Since the last whole sweep began, in times of what a sweep is given."""

BLIND_SECONDS: Final = 300
"""Since the monitor last saw what it looks at."""

WATCHER_SECONDS: Final = 300
"""Since the watcher last looked: it looks at least three times a minute."""

DELIVERY_SECONDS: Final = 900
"""A message to somebody that is due for longer than this."""

DISK_FREE_SHARE: Final = 0.1
"""Less of a disk than this free: Kafka and PostgreSQL stop when nothing is left."""

RESTARTS: Final = 3
"""More restarts of one worker than these within a quarter of an hour."""
