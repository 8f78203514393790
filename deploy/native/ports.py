"""Ports: free ones chosen at the first start, the same ones ever after."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

from deploy.native.errors import NativeError

HOST = "127.0.0.1"
FIRST_CHOICE = {"kafka": 9092, "kafka_controller": 9093, "timescale": 5432}
# Linux hands out ports from 32768 up to outgoing connections. A server that was killed could find such a
# port taken when it comes back, and a client that keeps trying it could even connect to itself.
HIGHEST = 32767
STEP = 100


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections that a killed server left behind do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(first: int, reserved: set[int], free: Callable[[int], bool] = is_free) -> int:
    """Choose a port.

    Args:
        first: The port that is tried first; then every hundredth above it.
        reserved: Ports that another server of the same instance will use.
        free: Tells whether a port can be listened on.

    Returns:
        A free port below Linux's range for outgoing connections.

    Raises:
        NativeError: none of them is free.
    """
    for port in range(first, HIGHEST + 1, STEP):
        if port not in reserved and free(port):
            return port
    raise NativeError(
        f"No free port found from {first} to {HIGHEST} on {HOST} (every {STEP}th was tried). "
        "Stop programs that listen there (`ss -ltnp` lists them) and start again."
    )


def read_ports(path: Path) -> dict[str, int]:
    """Read the remembered ports by server name; empty when nothing was remembered yet.

    Raises:
        NativeError: the file is not what `write_ports` wrote.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise NativeError(
            f"{path} is not JSON ({error}). Delete it; the next start chooses ports anew."
        ) from None
    if not isinstance(content, dict) or not all(
        name in FIRST_CHOICE and isinstance(port, int) and 0 < port < 65536 for name, port in content.items()
    ):
        raise NativeError(
            f"{path} must map {', '.join(FIRST_CHOICE)} to port numbers. "
            "Delete it; the next start chooses ports anew."
        )
    return content


def write_ports(path: Path, ports: dict[str, int]) -> None:
    """Remember the ports."""
    path.write_text(json.dumps(ports, indent=2) + "\n")


def settle_ports(
    path: Path,
    names: tuple[str, ...],
    say: Callable[[str], None],
    free: Callable[[int], bool] = is_free,
) -> dict[str, int]:
    """Settle the ports of servers that are about to start.

    A remembered port is kept as long as it is free. A remembered port that another program has taken is
    replaced: the server is down, so nobody uses it now, and neither Kafka nor PostgreSQL keeps its port in
    its data (Kafka's static quorum stores the voter's number only, its address is read from the settings).

    Args:
        path: The file that remembers them.
        names: Servers about to start, keys of FIRST_CHOICE.
        say: Told of every remembered port that had to change.
        free: Tells whether a port can be listened on.

    Returns:
        All remembered ports, those of `names` among them.
    """
    ports = read_ports(path)
    for name in names:
        known = ports.get(name)
        if known is not None and free(known):
            continue
        ports[name] = choose_port(FIRST_CHOICE[name], set(ports.values()), free)
        if known is not None:
            say(
                f"Port {known} of {name} is now used by another program; using {ports[name]}. "
                "Restart programs that still use the old address."
            )
    write_ports(path, ports)
    return ports
