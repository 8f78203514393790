"""`canhdich doctor`: what is missing, down or out of step, in plain words."""

import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import typer

from deploy.native import preflight
from deploy.native.layout import layout
from schemas.catalogue import CatalogueError, load_catalogue
from schemas.topics import load_topics
from services.cli.output import EXIT_DEPENDENCY_DOWN, EXIT_FAILED, JsonOption, exits, out, print_json
from services.settings import Settings, settings
from streams.domain.errors import CanhDichError, ConfigurationError, DependencyDown
from streams.handlers.fold_cases import TOPIC
from streams.stores import database
from streams.stores.broker import end_offsets, topic_settings
from streams.stores.database import pending_migrations
from streams.stores.health import DatabaseHealth, read_health

_CLOCK_LIMIT = timedelta(seconds=5)
_LAG_LIMIT = 10_000
_TOPIC_SETTINGS = ("message.timestamp.type", "cleanup.policy", "retention.ms")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `advice` says what to do when it is not ok."""

    name: str
    ok: bool
    found: str
    advice: str = ""
    is_dependency: bool = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", help="Say what is missing, down or out of step.")(doctor)


@exits
def doctor(json_output: JsonOption = False) -> int:
    """Print every check; exit 1 when one fails, 3 when a server does not answer."""
    checks = list(_checks())
    if json_output:
        print_json({"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            mark = "[green]ok[/green]     " if check.ok else "[red]PROBLEM[/red]"
            out.print(f"{mark} {check.name}: {check.found}", highlight=False)
            if not check.ok and check.advice:
                out.print(f"          -> {check.advice}", highlight=False)
    if any(check.is_dependency and not check.ok for check in checks):
        return EXIT_DEPENDENCY_DOWN
    return 0 if all(check.ok for check in checks) else EXIT_FAILED


def _checks() -> Iterator[Check]:
    for found in preflight.checks(layout()):
        yield Check(found.name, found.ok, found.found, found.advice)
    yield _clock_synchronised()
    try:
        configured = settings()
    except ConfigurationError as error:
        yield Check("settings", False, str(error), "Run `make up`, or set the two addresses.")
        return
    yield Check("settings", True, f"Kafka {configured.kafka_bootstrap}, TimescaleDB as set")
    yield from _kafka(configured)
    yield from _database(configured)


def _clock_synchronised() -> Check:
    """Whether the machine's clock follows NTP, as far as systemd can tell."""
    try:
        shown = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return Check(
            "clock", True, "systemd does not manage this machine's clock: not known to be synchronised"
        )
    return Check(
        "clock",
        shown == "yes",
        "synchronised" if shown == "yes" else "not synchronised by NTP",
        "Turn on time synchronisation: `timedatectl set-ntp true`. Events are refused by a wrong clock.",
    )


def _kafka(configured: Settings) -> Iterator[Check]:
    topics = load_topics()
    try:
        found = {
            name: topic_settings(configured.kafka_bootstrap, configured.topic_prefix + name)
            for name in topics
        }
    except DependencyDown as error:
        yield Check("kafka", False, str(error), "Start it: `make up`.", is_dependency=True)
        return
    except ConfigurationError as error:
        yield Check("kafka", False, str(error), "Run `canhdich migrate`.")
        return
    wrong = [
        f"{name}: {key} is {found[name].get(key)}, not {value}"
        for name, topic in topics.items()
        for key, value in topic.settings["one_node"].items()
        if key in _TOPIC_SETTINGS and found[name].get(key) != value
    ]
    yield Check(
        "kafka",
        not wrong,
        "; ".join(wrong) or f"{len(topics)} topics as they should be",
        "Set the topic's configuration right with kafka-configs; LogAppendTime is what known_at is made of.",
    )


def _database(configured: Settings) -> Iterator[Check]:
    database_url = configured.database_url.get_secret_value()
    try:
        with database.connect(database_url) as connection:
            pending = pending_migrations(database_url)
            yield Check(
                "schema",
                not pending,
                f"missing migrations: {', '.join(pending)}" if pending else "up to date",
                "Run `canhdich migrate`.",
            )
            if pending:
                return
            with database.errors_translated():
                health = read_health(connection, configured.topic_prefix + TOPIC)
    except DependencyDown as error:
        yield Check("timescaledb", False, str(error), "Start it: `make up`.", is_dependency=True)
        return
    except CanhDichError as error:
        yield Check("timescaledb", False, str(error), "Run `canhdich migrate`.")
        return
    yield Check("timescaledb", True, f"PostgreSQL {health.postgres}, TimescaleDB {health.timescaledb}")
    for check in (_clock, _catalogue):
        yield check(health)
    yield from _folding(configured, health)


def _clock(health: DatabaseHealth) -> Check:
    difference = abs(datetime.now(UTC) - health.now)
    return Check(
        "clock of the database server",
        difference < _CLOCK_LIMIT,
        f"{difference.total_seconds():.1f} s from this machine's",
        "Synchronise both machines by NTP.",
    )


def _catalogue(health: DatabaseHealth) -> Check:
    try:
        packaged = load_catalogue().version
    except CatalogueError as error:
        return Check("catalogue", False, str(error), "Mend the file that it names.")
    return Check(
        "catalogue",
        health.catalogue_version == packaged,
        f"{health.catalogue_version} in force, {packaged} packaged",
        "Run `canhdich migrate` to put the packaged one in force.",
    )


def _folding(configured: Settings, health: DatabaseHealth) -> Iterator[Check]:
    try:
        ends = end_offsets(configured.kafka_bootstrap, configured.topic_prefix + TOPIC)
    except CanhDichError as error:
        yield Check("folding", False, str(error), "See kafka above.")
        return
    lag = sum(end - health.next_offsets.get(partition, 0) for partition, end in ends.items())
    yield Check(
        "folding",
        lag < _LAG_LIMIT,
        f"{lag:,} record(s) not folded yet",
        "Is a worker running? `canhdich up` starts it; docs/runbook/lag.md.",
    )
    yield Check("parked events", True, f"{health.parked:,} wait for a code that the catalogue does not know")
    yield Check("dead letters", True, f"{health.dead_letters:,} not retried yet")
