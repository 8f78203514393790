"""What was measured, on what machine: JSON lines and a table."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(".native") / "bench"


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement.

    Attributes:
        letter: The measurement of docs/benchmarks.md that it belongs to.
        way: What was done.
        events: How many events (rows, requests) it took in; 0 where that means nothing.
        seconds: How long that took.
        more: Other figures by name, units in the names.
    """

    letter: str
    way: str
    events: int
    seconds: float
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure must reach: `found` against `wanted`, more being better."""

    text: str
    found: float
    wanted: float

    @property
    def is_reached(self) -> bool:
        """Whether it is."""
        return self.found >= self.wanted


def say(text: str) -> None:
    """Progress, on standard error."""
    print(f"[{datetime.now(UTC):%H:%M:%S}] {text}", file=sys.stderr, flush=True)


def timed(letter: str, way: str, events: int, work: Callable[[], object]) -> Measured:
    """Run once and take the time."""
    say(f"({letter}) {way}: {events:,} ...")
    started = time.perf_counter()
    work()
    measured = Measured(letter, way, events, time.perf_counter() - started)
    say(f"({letter}) {way}: {measured.rate:,.0f}/s")
    return measured


def with_stolen(found: Iterable[Measured]) -> Iterator[Measured]:
    """Each with the share of the processors that the hypervisor gave to others, since the one before it."""
    stolen, all_before = _processor_times()
    for measured in found:
        stolen_now, all_now = _processor_times()
        percent = round(100 * (stolen_now - stolen) / max(1, all_now - all_before), 1)
        yield replace(measured, more={**measured.more, "stolen_percent": percent})
        # Anew: what the caller does between two is not theirs.
        stolen, all_before = _processor_times()


def _processor_times() -> tuple[int, int]:
    """Ticks since the start of the machine: stolen, and all.

    Source:
        proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
    """
    ticks = [int(text) for text in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[7], sum(ticks)


def machine(server_version: str) -> dict[str, Any]:
    """The machine and the versions, as far as they matter for the figures."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in cpu.splitlines() if "model name" in line), "")
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": model or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "fsync_ms": round(_fsync_seconds() * 1_000, 2),
        "python": platform.python_version(),
        "postgresql": server_version,
        **{name: version(name) for name in ("faust-streaming", "aiokafka", "psycopg", "pydantic")},
        "commit": _commit(),
    }


def _fsync_seconds(times: int = 50) -> float:
    """How long the disk takes to make 8 kB safe: what every commit waits for at least (median)."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "fsync"
    taken = []
    with path.open("wb", buffering=0) as out:
        for _ in range(times):
            started = time.perf_counter()
            out.write(bytes(8_192))
            os.fdatasync(out.fileno())
            taken.append(time.perf_counter() - started)
    path.unlink()
    return sorted(taken)[times // 2]


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def write(found: Sequence[Measured], targets: Sequence[Target], described: dict[str, Any]) -> Path:
    """Write JSON lines: the machine, then one line per measurement, then one per target."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{datetime.now(UTC):%Y%m%dT%H%M%S}.jsonl"
    lines: list[dict[str, Any]] = [{"machine": described}]
    for m in found:
        lines.append(
            {
                "measurement": m.letter,
                "way": m.way,
                "events": m.events,
                "seconds": round(m.seconds, 3),
                "per_second": round(m.rate, 1),
                **m.more,
            }
        )
    lines += [
        {"target": t.text, "found": round(t.found, 3), "wanted": t.wanted, "reached": t.is_reached}
        for t in targets
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def print_table(found: Sequence[Measured], targets: Sequence[Target], described: dict[str, Any]) -> None:
    """The same for people."""
    print("Machine: " + ", ".join(f"{name} {value}" for name, value in described.items()))
    print(f"\n    {'way':<58}{'events':>10}{'seconds':>10}{'per second':>12}")
    for m in found:
        print(f"({m.letter}) {m.way:<58}{m.events:>10,}{m.seconds:>10.1f}{m.rate:>12,.0f}")
        for name, value in m.more.items():
            print(f"      {name}: {value}")
    print(f"\n{'target':<64}{'wanted':>9}{'found':>9}")
    for t in targets:
        print(f"{t.text:<64}{t.wanted:>9.2f}{t.found:>9.2f}  {'reached' if t.is_reached else 'NOT REACHED'}")
