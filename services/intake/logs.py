"""Logs as JSON lines on standard error. Of events only their ids appear."""

import logging
import sys

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

_LEVEL = logging.INFO


def configure_logging() -> None:
    """Send our lines and those of the libraries through one formatter."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVEL),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _name_exception_only,
                structlog.processors.JSONRenderer(_to_json),
            ],
        )
    )
    logging.basicConfig(level=_LEVEL, handlers=[handler], force=True)
    # At lower levels Kafka's client writes keys and values.
    logging.getLogger("kafka").setLevel(logging.WARNING)


def _name_exception_only(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
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
