"""`canhdich doctor`: what is missing, down or out of step, in plain words."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import typer

from deploy.native import preflight
from deploy.native.layout import layout
from schemas.catalogue import CatalogueError, load_catalogue
from schemas.topics import load_topics
from services.cli.output import EXIT_DEPENDENCY_DOWN, EXIT_FAILED, JsonOption, exits, out, print_json
from services.log_ends import ask_log_ends
from services.monitor import limits
from services.monitor.canary import canary_subjects
from services.monitor.looks import DiskUsage, disk_usage
from services.settings import Settings, settings
from streams.domain.errors import CanhDichError, ConfigurationError, DependencyDown
from streams.domain.positions import TOPIC, Position
from streams.stores import database
from streams.stores.backups import backup_age
from streams.stores.broker import topic_settings
from streams.stores.counts import read_positions
from streams.stores.database import pending_migrations
from streams.stores.health import (
    DatabaseHealth,
    StreamHealth,
    lags,
    read_canaries,
    read_health,
    read_stream_health,
)
from streams.stores.rights import differences, missing_logins

_CLOCK_LIMIT = timedelta(seconds=5)
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
    for place, folder in (("data", configured.data_directory), ("backups", configured.backup_folder)):
        yield disk_check(place, disk_usage(folder))
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
        found = {name: topic_settings(configured.kafka, configured.topic_prefix + name) for name in topics}
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
            topic = configured.topic_prefix + TOPIC
            with database.errors_translated():
                health = read_health(connection)
                stream = read_stream_health(connection, topic)
                canaries = read_canaries(connection, canary_subjects(load_topics()[TOPIC].partitions))
                positions = read_positions(connection, topic)
                backups = backup_age(connection)
                logins = missing_logins(connection)
                rights = [str(one) for one in differences(connection)]
    except DependencyDown as error:
        yield Check("timescaledb", False, str(error), "Start it: `make up`.", is_dependency=True)
        return
    except CanhDichError as error:
        yield Check("timescaledb", False, str(error), "Run `canhdich migrate`.")
        return
    yield Check("timescaledb", True, f"PostgreSQL {health.postgres}, TimescaleDB {health.timescaledb}")
    for check in (_clock, _catalogue):
        yield check(health)
    yield _folding(configured, positions)
    yield Check("parked events", True, f"{stream.parked:,} wait for a code that the catalogue does not know")
    yield dead_letter_check(stream)
    yield canary_check(
        max((canary.sent_at for canary in canaries.values()), default=None),
        datetime.now(UTC),
        configured.canary_seconds,
    )
    yield audit_check(stream, configured.audit_sweep_hours)
    yield backup_check(*backups, configured.backup_age_hours)
    yield rights_check(logins, rights)


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


def _folding(configured: Settings, positions: Mapping[int, Position]) -> Check:
    topic = configured.topic_prefix + TOPIC
    ends = ask_log_ends(configured.kafka, topic)
    if ends is None:
        return Check("folding", False, "Kafka does not say how far it is", "See kafka above.")
    lag = sum(lags(ends, positions).values())
    return Check(
        "folding",
        lag < limits.LAG_RECORDS,
        f"{lag:,} record(s) not folded yet",
        "Is a worker running? `canhdich up` starts it; docs/runbook/lag.md.",
    )


def dead_letter_check(stream: StreamHealth) -> Check:
    """Whether more than a share of what came lately was no valid event."""
    is_too_much = stream.dead_share > limits.DEAD_SHARE and stream.dead >= limits.DEAD_LEAST
    return Check(
        "dead letters",
        not is_too_much,
        f"{stream.dead_open:,} not retried yet; of the {stream.journaled + stream.dead:,} events of the last "
        f"hour {stream.dead:,} ({stream.dead_share:.1%})",
        "A program sends what is no valid event: `canhdich dead-letters list`; docs/runbook/dead-letters.md.",
    )


def canary_check(newest: datetime | None, now: datetime, interval_seconds: float) -> Check:
    """Whether an event that is sent through the door still arrives in the database."""
    if not interval_seconds:
        return Check("canary", True, "none is sent (CANHDICH_CANARY_SECONDS is 0)")
    if newest is None:
        return Check("canary", True, "none has arrived yet; the monitor sends one when it starts")
    age = (now - newest).total_seconds()
    return Check(
        "canary",
        age < limits.CANARY_MISSED * interval_seconds + limits.CANARY_WAITING_SECONDS,
        f"the last one that came through intake, Kafka and worker was sent {_ago(age)}",
        "Something on the way stands still: docs/runbook/canary.md.",
    )


def audit_check(stream: StreamHealth, sweep_hours: float) -> Check:
    """What the continuous audit found, and whether it goes on."""
    advice = "docs/runbook/drift.md; publish nothing from the keys that it names."
    if stream.drift:
        found = ", ".join(f"{number:,} of {kind}" for kind, number in sorted(stream.drift.items()))
        return Check("continuous audit", False, f"DRIFT: {found}", advice)
    if stream.round_age is None:
        return Check("continuous audit", True, "no round yet; the monitor makes one when it starts")
    found = f"no drift; last round {_ago(stream.round_age)}"
    if stream.sweep_age is not None:
        found += f", the last whole sweep began {_ago(stream.sweep_age)}"
    is_late = stream.round_age > limits.AUDIT_ROUND_SECONDS or (
        stream.sweep_age is not None and stream.sweep_age > limits.AUDIT_SWEEP_TIMES * sweep_hours * 3_600
    )
    return Check("continuous audit", not is_late, found, "Is the monitor running? docs/runbook/audit-late.md")


def backup_check(age: float | None, is_made: bool, limit_hours: float) -> Check:
    """Whether the newest backup is young enough; an installation that has just begun needs none yet."""
    advice = "Take one: `canhdich backup`, and let a timer do it every night; docs/runbook/backup-old.md."
    if age is None:
        return Check("backup", True, "nothing to back up yet")
    found = f"the newest was made {_ago(age)}" if is_made else f"none yet; installed {_ago(age)}"
    return Check("backup", age <= limit_hours * 3_600, found, advice)


def disk_check(place: str, usage: DiskUsage) -> Check:
    """Whether there is room."""
    return Check(
        f"disk of {place}",
        usage.free >= limits.DISK_FREE_SHARE * usage.size,
        f"{usage.free / 1e9:,.1f} of {usage.size / 1e9:,.1f} GB free",
        "Make room before Kafka and PostgreSQL stop: docs/runbook/disk-full.md.",
    )


def rights_check(logins: Sequence[str], differences: Sequence[str]) -> Check:
    """Whether the database's logins are there and may do exactly what they should."""
    wrong = [*(f"no login {role}" for role in logins), *differences]
    return Check(
        "rights in the database",
        not wrong,
        f"{'; '.join(wrong[:3])}{f' and {len(wrong) - 3} more' if len(wrong) > 3 else ''}"
        if wrong
        else "as schemas/rights/database.yaml says",
        "Run `canhdich migrate` as the owner; `canhdich rights check` lists everything.",
    )


def _ago(seconds: float) -> str:
    """In words.

    >>> _ago(3), _ago(300), _ago(7_200)
    ('3 s ago', '5 min ago', '2.0 h ago')
    """
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3_600:.1f} h ago"
