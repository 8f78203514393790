"""`python -m services.intake`: the door and the staff's pages."""

import argparse
import socket
import sys
from collections.abc import Sequence

import structlog
import uvicorn
from prometheus_client import start_http_server

from services.intake.app import SEND_SECONDS, create_app
from services.logs import configure_logging
from services.settings import load_settings
from streams.domain.errors import ConfigurationError

# Requests that wait for Kafka are answered before the process ends.
_GRACE_SECONDS = int(SEND_SECONDS) + 5

log = structlog.get_logger(__name__)


def bind(host: str, port: int) -> socket.socket:
    """Bind a listening socket on an address of this machine.

    Raises:
        ConfigurationError: the port is taken, or the host is none of this machine's.
    """
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
    parser.add_argument("--host", help="default: CANHDICH_INTAKE_HOST")
    parser.add_argument("--port", type=int, help="default: CANHDICH_INTAKE_PORT; 0 takes any free one")
    options = parser.parse_args(arguments)
    configure_logging("intake", with_tracebacks=False)
    try:
        settings = load_settings(**({} if options.host is None else {"intake_host": options.host}))
        app = create_app(settings)
        listener = bind(settings.intake_host, settings.intake_port if options.port is None else options.port)
    except ConfigurationError as error:
        print(f"intake: {error}", file=sys.stderr)
        return 2
    log.info("intake_listens", address=listener.getsockname()[0], port=listener.getsockname()[1])
    if settings.intake_metrics_port:
        start_http_server(
            settings.intake_metrics_port, addr=settings.metrics_host, registry=app.state.metrics.registry
        )
    config = uvicorn.Config(
        app,
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
