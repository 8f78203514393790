"""Logs as JSON lines on standard error, of every service alike; an event is followed by its id.

`event_ids` stand in the intake's line of accepting them and in the worker's of folding them. The worker's
names the counts that moved (`touched`, disease|area), the watcher's the counts that made it judge
(`because_of`) and the alert's id, the notifier's the ids of the alerts that it told. Of events nothing else
appears.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

MOST_IDS: Final = 20
"""Named in one line: enough to find an event again; a longer list would be a long line."""

_LEVEL = logging.INFO


def configure_logging(service: str, *, with_tracebacks: bool = True) -> None:
    """Send our lines and those of the libraries through one formatter.

    Args:
        service: Stands in every line.
        with_tracebacks: Say where an exception came from, and its message; without, its type alone: in the
            intake a message may hold what was sent.
    """

    def name_service(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        line["service"] = service
        return line

    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        name_service,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # Not cached on first use: a logger would keep these settings for good, also in a test that captures
        # its lines. There is a line per request or batch, so binding it anew costs nothing that counts.
        wrapper_class=structlog.make_filtering_bound_logger(_LEVEL),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info if with_tracebacks else name_exception_only,
                structlog.processors.JSONRenderer(_to_json),
            ],
        )
    )
    logging.basicConfig(level=_LEVEL, handlers=[handler], force=True)
    # Their INFO tells every connection and request, with addresses; lower levels keys and values.
    for name in ("kafka", "aiokafka", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def some_of(ids: Mapping[str, Any]) -> dict[str, Any]:
    """What is put into a line beside its text: lists that are too long give their lengths alone.

    >>> some_of({"event_ids": ["a"], "touched": list(range(30))})
    {'event_ids': ['a'], 'touched_number': 30}
    """
    return {
        name if len(values) <= MOST_IDS else f"{name}_number": values
        if len(values) <= MOST_IDS
        else len(values)
        for name, values in ids.items()
    }


def name_exception_only(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """An exception's message may hold what was sent; its type does not."""
    raised = line.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, tuple):
        raised = raised[1]
    if raised:
        line["error"] = type(raised).__name__
    return line


def _to_json(line: EventDict, **_options: object) -> str:
    return orjson.dumps(line, default=str).decode()
