"""`python -m services.health SERVICE`: whether a service works on this machine; for health checks.

Exit codes as the command line's: 0 it works, 1 it does not, 2 usage or a setting is wrong, 3 the database
does not answer.
"""

import http.client
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from services.settings import Settings, load_settings
from streams.domain.errors import ConfigurationError, DependencyDown

_ANSWER_SECONDS = 4.0

SIGNS_WITHIN: Final[Mapping[str, timedelta]] = {
    "watcher": timedelta(minutes=5),
    "notifier": timedelta(minutes=2),
}
"""How old the last sign of life may be that these two leave in the database: they have no page."""


def check_page(port: int, path: str) -> str | None:
    """Ask for a page on 127.0.0.1; what is wrong with the answer, or None.

    Args:
        port: Where it listens; 0: it was started without its page.
        path: Of the page.
    """
    if not port:
        return "it has no port for its Prometheus page (CANHDICH_…_METRICS_PORT is 0)"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"port {port} does not answer: {type(error).__name__}: {error}"
    finally:
        connection.close()
    return None if status == http.client.OK else f"{path} on port {port} answers {status}"


def check_sign(name: str, signs: Mapping[str, datetime], now: datetime) -> str | None:
    """Look at the last sign of life; what is wrong with it, or None.

    >>> check_sign("watcher", {}, datetime(2026, 1, 1, tzinfo=UTC))
    'it has never left a sign of life in the database'
    """
    last = signs.get(name)
    if last is None:
        return "it has never left a sign of life in the database"
    if now - last > SIGNS_WITHIN[name]:
        return f"its last sign of life in the database is of {last.isoformat(timespec='seconds')}"
    return None


def _sign(settings: Settings, name: str) -> str | None:
    # Imported here: the pages are asked every few seconds, and are asked without the database's client.
    from streams.stores.deliveries import PostgresOutbox

    outbox = PostgresOutbox(settings.database_url.get_secret_value())
    try:
        return check_sign(name, outbox.signs_of_life(), datetime.now(UTC))
    finally:
        outbox.close()


CHECKS: Final[Mapping[str, Callable[[Settings], str | None]]] = {
    "intake": lambda settings: check_page(settings.intake_port, "/health/ready"),
    "worker": lambda settings: check_page(settings.worker_metrics_port, "/metrics"),
    "monitor": lambda settings: check_page(settings.monitor_metrics_port, "/metrics"),
    "watcher": lambda settings: _sign(settings, "watcher"),
    "notifier": lambda settings: _sign(settings, "notifier"),
}
"""By service: what is wrong with it, or None."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one service; what is wrong goes to standard error."""
    names = sys.argv[1:] if arguments is None else list(arguments)
    if len(names) != 1 or names[0] not in CHECKS:
        print(f"usage: python -m services.health {'|'.join(CHECKS)}", file=sys.stderr)
        return 2
    try:
        fault = CHECKS[names[0]](load_settings())
    except ConfigurationError as error:
        print(f"health: {error}", file=sys.stderr)
        return 2
    except DependencyDown as error:
        print(f"health: {error}", file=sys.stderr)
        return 3
    if fault:
        print(f"health: {names[0]}: {fault}.", file=sys.stderr)
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
