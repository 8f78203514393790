"""`python -m tests.soak`: an installation of its own under steady work; exit code 1 when something grows.

SOAK_MINUTES (default 30, at least 1), SOAK_RATE (events a second, default 500). Events are sent through the
intake in batches; beside it imports of line lists, questions about counts, and the watcher, which judges all
that moves. Figures go to .native/soak.json. Whether the pipeline keeps up is judged in every run, by its
backlog; memory only in one of five minutes and more.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from schemas.catalogue import load_catalogue
from services.demo.scale import generate_events
from services.log_ends import ask_log_ends
from services.settings import load_settings
from streams.domain.positions import TOPIC
from streams.stores.counts import read_positions
from streams.stores.database import connect
from streams.stores.health import lags
from tests.bench.results import FOLDER, machine, say
from tests.conftest import NativeStack
from tests.e2e.conftest import Installation, installed
from tests.soak.judge import Verdict, judge_backlog, judge_memory
from tests.soak.sending import Sending

MINUTES = float(os.environ.get("SOAK_MINUTES") or 30)
RATE = float(os.environ.get("SOAK_RATE") or 500)
_MEMORY_FROM_MINUTES = 5.0
_SAMPLE_SECONDS = 5.0
_SAMPLES = 60
"""A short run is sampled more often: so many times at least."""
_COURSE = 30
_IMPORT_SECONDS = 60.0
_ASK_SECONDS = 2.0
_IMPORT_ROWS = 500
_PROVINCES = ("10", "12", "19", "24")


class Work:
    """What is done beside each other until told to stop, and what came of it."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.stop = threading.Event()
        events = generate_events(10**9, 1, catalogue=load_catalogue(), provinces=_PROVINCES)
        self.sending = Sending(events, RATE, self.stop)
        self.imports = self.questions = 0
        self.faults: list[str] = []
        self.slowest_question = 0.0

    def threads(self) -> list[threading.Thread]:
        """One for each kind of work; a fault of one stops all."""
        return [
            threading.Thread(target=self._kept, args=(work,))
            for work in (self._send, self._import, self._ask)
        ]

    def _kept(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self.faults.append(f"{work.__name__}: {error!r}")
            self.stop.set()

    def _send(self) -> None:
        with httpx.Client(base_url=self.installation.intake_url, timeout=30) as client:
            self.sending.run(client)

    def _import(self) -> None:
        """A line list that is another one each time."""
        path = self.installation.folder / "line-list.csv"
        while not self.stop.wait(_IMPORT_SECONDS / 2 if not self.imports else _IMPORT_SECONDS):
            rows = [
                f"SOAK-{self.imports}-{row},dengue,03412,2023-07-{1 + row % 28:02d},confirmed"
                for row in range(_IMPORT_ROWS)
            ]
            path.write_text("\n".join(["case_id,disease,area_code,onset_on,classification", *rows]), "utf-8")
            done = self.installation.json("import", str(path))
            if done["created"] != _IMPORT_ROWS:
                raise RuntimeError(f"import: {done}")
            self.imports += 1

    def _ask(self) -> None:
        """Counts of a province's year, as a board or a report asks."""
        while not self.stop.wait(_ASK_SECONDS):
            started = time.monotonic()
            self.installation.json(
                "counts", "--province", _PROVINCES[self.questions % len(_PROVINCES)],
                "--from", "2023-01-01", "--to", "2023-12-31", "--by", "disease", "--by", "month",
            )  # fmt: skip
            self.slowest_question = max(self.slowest_question, time.monotonic() - started)
            self.questions += 1


class Samples:
    """Memory of each process, lag and backlog, every few seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.memory: dict[str, list[float]] = {}
        self.lag: list[float] = []
        self.backlog: list[float] = []

    def take(self, work: Work, database_url: str, bootstrap: str, topic: str) -> None:
        """One sample of everything; a process that was started again has another number, and is a fault."""
        ends = ask_log_ends(bootstrap, topic)
        if ends is None:
            raise RuntimeError("Kafka does not answer")
        with connect(database_url) as connection:
            lag = sum(lags(ends, read_positions(connection, topic)).values())
        self.seconds.append(time.monotonic())
        self.lag.append(lag)
        self.backlog.append(work.sending.arrears() + lag)
        for name, mebibytes in memory_of(work.installation):
            self.memory.setdefault(name, []).append(mebibytes)

    def course(self, number: int) -> dict[str, list[float]]:
        """Memory of each process over the first so many samples, MiB: some `_COURSE` values of each."""
        step = max(1, number // _COURSE)
        return {
            name: [round(mebibytes, 1) for mebibytes in values[:number:step]]
            for name, values in self.memory.items()
        }


def memory_of(installation: Installation) -> Iterator[tuple[str, float]]:
    """Name and number of each process, and its resident memory in MiB."""
    folder = installation.folder / "data" / "services"
    for child in json.loads((folder / "children.json").read_text()):
        argv = Path(f"/proc/{child['pid']}/cmdline").read_bytes().split(b"\0")
        name = argv[argv.index(b"-m") + 1].decode().removeprefix("services.")
        pages = int(Path(f"/proc/{child['pid']}/statm").read_text().split()[1])
        yield f"{name} {child['pid']}", pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def until_folded(take: Callable[[], None], samples: Samples) -> float:
    """Wait until nothing waits; how many seconds that took."""
    started = time.monotonic()
    while True:
        take()
        if samples.lag[-1] == 0:
            return time.monotonic() - started
        if time.monotonic() > started + 600:
            raise RuntimeError(f"ten minutes after the last event {samples.lag[-1]:,.0f} are not folded")
        time.sleep(1)


def main() -> int:
    """Run, judge, write the figures; 0 when all is well."""
    if MINUTES < 1:
        sys.exit(f"SOAK_MINUTES is {MINUTES:g}: at least 1 is needed to tell a backlog that grows")
    settings = load_settings()
    stack = NativeStack(settings.kafka_bootstrap, settings.database_url.get_secret_value())
    samples = Samples()
    with (
        tempfile.TemporaryDirectory(prefix="canhdich-soak-") as folder,
        installed(stack, Path(folder)) as installation,
    ):
        database_url = installation.environment["DATABASE_URL"]
        topic = installation.environment["CANHDICH_TOPIC_PREFIX"] + TOPIC

        work = Work(installation)

        def take() -> None:
            samples.take(work, database_url, stack.kafka_bootstrap, topic)

        threads = work.threads()
        say(f"{RATE:,.0f} events a second for {MINUTES:g} minutes ...")
        every = min(_SAMPLE_SECONDS, 60 * MINUTES / _SAMPLES)
        started = work.sending.begin()
        for thread in threads:
            thread.start()
        while not work.stop.wait(every) and time.monotonic() < started + 60 * MINUTES:
            take()
            say(f"{work.sending.sent:,} sent, {work.sending.arrears():,} due, lag {samples.lag[-1]:,.0f}, "
                f"{work.imports} imports, {work.questions} questions")  # fmt: skip
        work.stop.set()
        seconds = time.monotonic() - started
        due = work.sending.sent + work.sending.arrears()
        for thread in threads:
            thread.join()
        sampled = len(samples.seconds)
        catching_up = until_folded(take, samples)
        audit = installation.json("audit", exit_code=0) if not work.faults else {}
        with connect(database_url) as connection:
            row = connection.execute("select count(*) from alerts").fetchone()
    for name, values in samples.memory.items():
        if len(values) < len(samples.seconds):
            work.faults.append(f"{name} ended, or was started, while it was watched")
    # A run that a fault ended has too few samples.
    verdicts = [] if work.faults else _judged(samples, sampled)
    document: dict[str, Any] = {
        **machine(""),
        "minutes": round(seconds / 60, 2),
        "events_per_second": round(work.sending.sent / seconds, 1),
        "events": work.sending.sent,
        "events_due": due,
        "largest_backlog": max(samples.backlog[:sampled], default=0),
        "refused_and_sent_again": work.sending.refused,
        "imports": work.imports,
        "questions": work.questions,
        "slowest_question_seconds": round(work.slowest_question, 2),
        "alerts": row[0] if row else 0,
        "seconds_to_catch_up": round(catching_up, 1),
        "audit": audit,
        "memory_mib": samples.course(sampled),
        "judged": [{**asdict(verdict), "is_flat": verdict.is_flat} for verdict in verdicts],
        "faults": work.faults,
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    FOLDER.parent.mkdir(exist_ok=True)
    (FOLDER.parent / "soak.json").write_text(json.dumps(document, indent=2) + "\n")
    print(json.dumps(document, indent=2))
    return 0 if _is_well(document, verdicts) else 1


def _judged(samples: Samples, number: int) -> list[Verdict]:
    """Of what was sampled while work was done; memory not in a run that is too short for it."""
    seconds = samples.seconds[:number]
    keeps_up = judge_backlog(seconds, samples.backlog[:number], RATE)
    if MINUTES < _MEMORY_FROM_MINUTES:
        say(f"{MINUTES:g} minutes are too short to judge memory")
        return [keeps_up]
    memory = {name: values[:number] for name, values in samples.memory.items()}
    whole = {name: values for name, values in memory.items() if len(values) == number}
    return [*judge_memory(seconds, whole), keeps_up]


def _is_well(document: dict[str, Any], verdicts: list[Verdict]) -> bool:
    drift = document["audit"].get("drift", {"none": 1})
    return not document["faults"] and not any(drift.values()) and all(verdict.is_flat for verdict in verdicts)


if __name__ == "__main__":
    sys.exit(main())
