"""`python -m services.intake`: the door, on this machine only."""

import argparse
import socket
import sys
from collections.abc import Sequence

import structlog
import uvicorn

from services.intake.app import SEND_SECONDS, create_app
from services.intake.guard import is_loopback
from services.intake.logs import configure_logging
from services.settings import load_settings
from streams.domain.errors import ConfigurationError

# Requests that wait for Kafka are answered before the process ends.
_GRACE_SECONDS = int(SEND_SECONDS) + 5

log = structlog.get_logger(__name__)


def bind(host: str, port: int) -> socket.socket:
    """Bind a listening socket on this machine's own loopback address.

    Raises:
        ConfigurationError: the host is not loopback, or the port is taken.
    """
    if not is_loopback(host):
        raise ConfigurationError(
            f"The intake does not listen on {host}: it has no users and roles yet, so it serves this "
            "machine only. Leave --host out, or give 127.0.0.1 or ::1."
        )
    address = {"localhost": "127.0.0.1", "[::1]": "::1"}.get(host.lower(), host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=512)
    except OSError as error:
        raise ConfigurationError(
            f"The intake cannot listen on {address} port {port}: {error.strerror}. Stop what runs there, or "
            "choose another port with CANHDICH_INTAKE_PORT."
        ) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; exit codes as the command line's (2: a setting is wrong)."""
    parser = argparse.ArgumentParser(prog="python -m services.intake", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, help="default: CANHDICH_INTAKE_PORT; 0 takes any free one")
    options = parser.parse_args(arguments)
    configure_logging()
    try:
        settings = load_settings()
        listener = bind(options.host, settings.intake_port if options.port is None else options.port)
    except ConfigurationError as error:
        print(f"intake: {error}", file=sys.stderr)
        return 2
    log.info("intake_listens", address=listener.getsockname()[0], port=listener.getsockname()[1])
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        # The guard writes its own line: uvicorn's shows the address that was asked for.
        access_log=False,
        server_header=False,
        # A header must not say that a request comes from this machine.
        proxy_headers=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with listener:
        uvicorn.Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
