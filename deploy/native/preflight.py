"""What this machine needs to have before the servers can be fetched and started."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.native import kafka, timescale
from deploy.native.accounts import can_enter, server_account
from deploy.native.debian import find_mirror
from deploy.native.errors import NativeError
from deploy.native.layout import Layout
from deploy.native.ports import FIRST_CHOICE, is_free, read_ports
from deploy.native.progress import Progress

JAVA_AT_LEAST = 17
GIBIBYTE = 1024**3
# The jars, the folder of packages while it is unpacked, Maven's own copies.
DISK_FOR_DOWNLOADS = 1 * GIBIBYTE
DISK_FOR_DATA = 1 * GIBIBYTE
# Kafka's heap and the JVM around it, PostgreSQL with some connections. Less is slow, not impossible.
MEMORY = int(1.5 * GIBIBYTE)
ZONE = Path("/usr/share/zoneinfo/Asia/Ho_Chi_Minh")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SERVERS = {"kafka": kafka, "timescale": timescale}
INSTEAD = "Without it: `docker compose up -d`, or let KAFKA_BOOTSTRAP and DATABASE_URL name running servers."


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the machine needs.

    Attributes:
        name: What it is, in a few words.
        ok: It is there.
        found: What was seen.
        advice: What to do when it is not there; empty when it is.
        package: The Debian package that brings it, when one does.
    """

    name: str
    ok: bool
    found: str
    advice: str = ""
    package: str | None = None


def java_major(version_text: str) -> int | None:
    """Read the major version from what `java -version` prints; None when it says none.

    >>> java_major('openjdk version "17.0.15" 2025-04-15')
    17
    >>> java_major('java version "1.8.0_402"')
    8
    """
    match = re.search(r'version "(?:1\.)?(\d+)', version_text)
    return int(match[1]) if match else None


def _program(name: str, program: str, package: str) -> Check:
    path = shutil.which(program)
    if path:
        return Check(name, True, path)
    return Check(name, False, "missing", f"Install it: sudo apt-get install {package}. {INSTEAD}", package)


def _java() -> Check:
    program = kafka.java()
    try:
        asked = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        major, found = None, "missing"
    else:
        major = java_major(asked.stderr)
        found = (asked.stderr.splitlines() or ["it prints no version"])[0]
    if major is not None and major >= JAVA_AT_LEAST:
        return Check("Java", True, found)
    advice = f"Java {JAVA_AT_LEAST} or newer is needed: sudo apt-get install default-jre-headless"
    if os.environ.get("JAVA_HOME"):
        advice += " (and unset JAVA_HOME, or let it name the newer one)"
    elif major is not None:
        advice += f", or openjdk-{JAVA_AT_LEAST}-jre-headless, and let JAVA_HOME name it"
    return Check("Java", False, found, f"{advice}. {INSTEAD}", "default-jre-headless")


def _time_zones() -> Check:
    if ZONE.is_file():
        return Check("time zones", True, str(ZONE.parent))
    return Check(
        "time zones", False, f"{ZONE} is missing", "Install it: sudo apt-get install tzdata.", "tzdata"
    )


def _keyring() -> Check:
    if KEYRING.is_file():
        return Check("Debian's keys", True, str(KEYRING))
    package = "debian-archive-keyring"
    advice = f"Install it: sudo apt-get install {package}. {INSTEAD}"
    return Check("Debian's keys", False, f"{KEYRING} is missing", advice, package)


def _mirror() -> Check:
    try:
        return Check("Debian archive", True, find_mirror())
    except NativeError as error:
        return Check("Debian archive", False, "none found", str(error))


def needs(layout: Layout, names: tuple[str, ...]) -> list[Check]:
    """Check the programs and files that fetching and starting these servers needs.

    Args:
        layout: The instance.
        names: "kafka", "timescale" or both.

    Returns:
        The checks; what is for fetching only is left out for what was fetched.
    """
    checks: list[Check] = []
    if "kafka" in names:
        checks.append(_java())
        try:
            if not kafka.libraries(layout).is_dir():
                checks.append(_program("Maven (fetches Kafka; or set KAFKA_HOME)", "mvn", "maven"))
        except NativeError as error:
            checks.append(Check("KAFKA_HOME", False, "not a Kafka distribution", str(error)))
    if "timescale" in names:
        checks.append(_time_zones())
        if not layout.timescale_root.is_dir():
            checks += [
                _program("mmdebstrap (fetches TimescaleDB)", "mmdebstrap", "mmdebstrap"),
                _keyring(),
                _mirror(),
            ]
    return checks


def room(layout: Layout, names: tuple[str, ...]) -> list[Check]:
    """Check disk and PostgreSQL's account for servers that are about to start."""
    found = []
    # Only before the first start: a server that stopped because the disk is full must be able to come back.
    if not all((layout.cache / name).is_dir() for name in names):
        found.append(_disk("disk for downloads", layout.cache, DISK_FOR_DOWNLOADS))
    if not all((layout.home / name / "data").is_dir() for name in names):
        found.append(_disk("disk for data", layout.home, DISK_FOR_DATA))
    if "timescale" in names:
        found.append(_account(layout))
    return found


def _disk(name: str, path: Path, needed: int) -> Check:
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    found = f"{free / GIBIBYTE:.1f} GiB free at {path}"
    advice = (
        f"{needed / GIBIBYTE:.0f} GiB is needed. Free some, or let CANHDICH_NATIVE_HOME name another disk."
    )
    return Check(name, free >= needed, found, "" if free >= needed else advice)


def _memory() -> Check:
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(lines["MemAvailable"].split()[0]) * 1024
    found = f"{available / GIBIBYTE:.1f} GiB available"
    advice = f"{MEMORY / GIBIBYTE:.1f} GiB is needed: stop other programs."
    return Check("memory", available >= MEMORY, found, "" if available >= MEMORY else advice)


def _ports(layout: Layout, names: tuple[str, ...]) -> Check:
    # Never a failure: a taken port is passed over. Says which are taken, as another one surprises.
    known = read_ports(layout.ports_file)
    wanted = [known.get(port, FIRST_CHOICE[port]) for name in names for port in SERVERS[name].PORTS]
    taken = [str(port) for port in wanted if not is_free(port)]
    return Check("ports", True, f"taken, others will be used: {', '.join(taken)}" if taken else "free")


def _account(layout: Layout) -> Check:
    try:
        account = server_account()
    except NativeError as error:
        return Check("PostgreSQL's account", False, "none", str(error))
    # A home that is not there yet will be made where the account can enter it.
    looked_at = [layout.home] if layout.home.exists() else []
    if not layout.cache.is_relative_to(layout.home):
        looked_at.append(layout.cache)
    closed = [str(path) for path in looked_at if not can_enter(account, path)]
    if not closed:
        return Check("PostgreSQL's account", True, account.name)
    return Check(
        "PostgreSQL's account",
        False,
        f"{account.name} cannot enter {' nor '.join(closed)}",
        "PostgreSQL refuses to run as root, so its account must be able to enter the folder. Let "
        "CANHDICH_NATIVE_HOME (and CANHDICH_NATIVE_CACHE, where set) name a folder that it can enter, "
        "such as /var/lib/canhdich-native.",
    )


def problems(checks: list[Check]) -> str:
    """Write down what is not well; empty when all is."""
    return "\n".join(f"{check.name}: {check.found}. {check.advice}" for check in checks if not check.ok)


def provide(layout: Layout, names: tuple[str, ...], progress: Progress) -> None:
    """See that all is there that these servers need; as root, install what Debian packages bring.

    Raises:
        NativeError: something is missing that cannot be, or may not be, installed.
    """
    if sys.platform != "linux":
        raise NativeError(f"The native servers run on Linux only. {INSTEAD}")
    checks = needs(layout, names)
    packages = sorted({check.package for check in checks if not check.ok and check.package})
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        progress.say(f"Installing {' '.join(packages)} with apt-get (as this runs as root) ...")
        progress.show("apt-get", "reading the lists of packages")
        _apt_get("update")
        progress.show("apt-get", "installing")
        _apt_get("install", "--yes", "--no-install-recommends", *packages)
        progress.show("apt-get", None)
        checks = needs(layout, names)
    missing = problems(checks + room(layout, names))
    if missing:
        raise NativeError(missing)


def _apt_get(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", "--quiet", "--quiet", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode != 0:
        last = "\n".join("    " + line for line in done.stdout.splitlines()[-20:])
        raise NativeError(
            f"apt-get {' '.join(arguments)} failed ({done.returncode}):\n{last}\n"
            f"Check the network and apt's sources, then start again. {INSTEAD}"
        )


def checks(layout: Layout, names: tuple[str, ...] = tuple(SERVERS)) -> list[Check]:
    """Check everything, for people to read; nothing is installed or changed.

    Args:
        layout: The instance.
        names: The servers that are to run here: "kafka", "timescale" or both.
    """
    down = tuple(name for name in names if SERVERS[name].running(layout) is None)
    found = needs(layout, names) + room(layout, names)
    if down:
        found += [_memory(), _ports(layout, down)]
    return found
