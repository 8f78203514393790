"""`python3 -m deploy.native up|down|kill|status|wipe`: see `--help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.native import stack
from deploy.native.errors import NativeError
from deploy.native.layout import Layout, layout


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(
        prog="python3 -m deploy.native",
        description="Apache Kafka and TimescaleDB on this machine, without containers.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "fetch what is missing, start, wait until healthy, write the env file"),
        ("down", "stop, keep the data"),
        ("kill", "kill at once, as a power cut would (for tests of faults)"),
        ("status", "say how both servers are; exit code 1 when one is not healthy"),
        ("wipe", "stop and delete all data, keep the downloads"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--home", type=Path, help="folder of the instance (default: CANHDICH_NATIVE_HOME, else .native)"
        )
        if name in {"up", "down", "kill"}:
            command.add_argument("server", nargs="?", choices=stack.SERVERS, help="only this one")
        if name == "wipe":
            command.add_argument("--all", action="store_true", help="delete the downloads, too")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 when all is well, 1 when not (said on standard error)."""
    arguments = parser().parse_args(argv)
    try:
        return _run(arguments, layout(arguments.home))
    except NativeError as error:
        print(f"error: {error}", file=sys.stderr)
    except PermissionError as error:
        print(
            f"error: {error.strerror}: {error.filename}. Run this as the account that started this instance, "
            "or give another folder with --home.",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print("interrupted: start again when you like, nothing half-done is taken for whole", file=sys.stderr)
        return 130
    return 1


def _run(arguments: argparse.Namespace, where: Layout) -> int:
    chosen = getattr(arguments, "server", None)
    names = (chosen,) if chosen else tuple(stack.SERVERS)
    match arguments.command:
        case "up":
            stack.up(where, names)
            print(f"Their addresses are in {where.env_file}")
        case "down":
            stack.down(where, names)
        case "kill":
            killed = stack.kill(where, names)
            print(f"killed: {', '.join(killed) or 'none was running'}")
        case "wipe":
            stack.wipe(where, arguments.all)
        case "status":
            return _print_status(stack.status(where))
    return 0


def _print_status(found: list[stack.Status]) -> int:
    for server in found:
        if server.given:
            print(f"{server.name}: not ours ({stack.GIVEN_BY[server.name]} is set)")
        elif server.pid is None:
            print(f"{server.name}: down")
        else:
            health = "healthy" if server.healthy else "NOT ANSWERING"
            print(f"{server.name}: {health}, port {server.port}, process {server.pid}")
    return 0 if all(server.given or server.healthy for server in found) else 1


if __name__ == "__main__":
    sys.exit(main())
