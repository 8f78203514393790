"""`python -m tests.soak`: an installation of its own under steady work; exit code 1 when something grows.

SOAK_MINUTES (default 30), SOAK_RATE (events a second, default 500). Events are sent through the intake
in batches; beside it imports of line lists, questions about counts, and the watcher, which judges all that
moves. Figures go to .native/soak.json. A run of fewer than five minutes shows that the parts work
together; growth is not judged.
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
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import orjson

from schemas.catalogue import load_catalogue
from services.demo.scale import generate_events
from services.log_ends import ask_log_ends
from services.settings import load_settings
from streams.handlers.fold_cases import TOPIC
from streams.stores.counts import read_positions
from streams.stores.database import connect
from streams.stores.health import lags
from tests.bench.results import FOLDER, machine, say
from tests.conftest import NativeStack
from tests.e2e.conftest import Installation, installed
from tests.soak.judge import Verdict, judge_lag, judge_memory

MINUTES = float(os.environ.get("SOAK_MINUTES") or 30)
RATE = float(os.environ.get("SOAK_RATE") or 500)
_JUDGED_FROM_MINUTES = 5.0
_BATCH = 50
_BATCH_TYPE = {"content-type": "application/cloudevents-batch+json"}
_SAMPLE_SECONDS = 5.0
_IMPORT_SECONDS = 60.0
_ASK_SECONDS = 2.0
_IMPORT_ROWS = 500
_PROVINCES = ("10", "12", "19", "24")


class Work:
    """What is done beside each other until told to stop, and what came of it."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.stop = threading.Event()
        self.sent = self.refused = self.imports = self.questions = 0
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
        """Post batches on a clock: a slow answer does not make the next one late."""
        events = generate_events(10**9, 1, catalogue=load_catalogue(), provinces=_PROVINCES)
        started = time.monotonic()
        with httpx.Client(base_url=self.installation.intake_url, timeout=30) as client:
            while not self.stop.is_set():
                batch = orjson.dumps(list(map(orjson.loads, islice(events, _BATCH))))
                answer = client.post("/v1/events", content=batch, headers=_BATCH_TYPE)
                while answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and not self.stop.wait(1):
                    self.refused += 1
                    answer = client.post("/v1/events", content=batch, headers=_BATCH_TYPE)
                if answer.status_code != httpx.codes.ACCEPTED and not self.stop.is_set():
                    raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")
                self.sent += _BATCH
                self.stop.wait(max(0.0, started + self.sent / RATE - time.monotonic()))

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
    """Memory of each process and lag, every few seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.memory: dict[str, list[float]] = {}
        self.lag: list[float] = []

    def take(self, installation: Installation, database_url: str, bootstrap: str, topic: str) -> None:
        """One sample of everything; a process that was started again has another number, and is a fault."""
        ends = ask_log_ends(bootstrap, topic)
        if ends is None:
            raise RuntimeError("Kafka does not answer")
        with connect(database_url) as connection:
            lag = sum(lags(ends, read_positions(connection, topic)).values())
        self.seconds.append(time.monotonic())
        self.lag.append(lag)
        for name, mebibytes in memory_of(installation):
            self.memory.setdefault(name, []).append(mebibytes)


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
    settings = load_settings()
    stack = NativeStack(settings.kafka_bootstrap, settings.database_url.get_secret_value())
    samples = Samples()
    with (
        tempfile.TemporaryDirectory(prefix="canhdich-soak-") as folder,
        installed(stack, Path(folder)) as installation,
    ):
        database_url = installation.environment["DATABASE_URL"]
        topic = installation.environment["CANHDICH_TOPIC_PREFIX"] + TOPIC

        def take() -> None:
            samples.take(installation, database_url, stack.kafka_bootstrap, topic)

        work = Work(installation)
        threads = work.threads()
        say(f"{RATE:,.0f} events a second for {MINUTES:g} minutes ...")
        started = time.monotonic()
        for thread in threads:
            thread.start()
        while not work.stop.wait(_SAMPLE_SECONDS) and time.monotonic() < started + 60 * MINUTES:
            take()
            say(f"{work.sent:,} sent, lag {samples.lag[-1]:,.0f}, {work.imports} imports, "
                f"{work.questions} questions")  # fmt: skip
        work.stop.set()
        seconds = time.monotonic() - started
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
    verdicts = _judged(samples, sampled)
    document: dict[str, Any] = {
        **machine(""),
        "minutes": round(seconds / 60, 2),
        "events_per_second": round(work.sent / seconds, 1),
        "events": work.sent,
        "refused_and_sent_again": work.refused,
        "imports": work.imports,
        "questions": work.questions,
        "slowest_question_seconds": round(work.slowest_question, 2),
        "alerts": row[0] if row else 0,
        "seconds_to_catch_up": round(catching_up, 1),
        "audit": audit,
        "judged": [{**asdict(verdict), "is_flat": verdict.is_flat} for verdict in verdicts],
        "faults": work.faults,
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    FOLDER.parent.mkdir(exist_ok=True)
    (FOLDER.parent / "soak.json").write_text(json.dumps(document, indent=2) + "\n")
    print(json.dumps(document, indent=2))
    return 0 if _is_well(document, verdicts) else 1


def _judged(samples: Samples, number: int) -> list[Verdict]:
    """While work was done; nothing of a run that is too short."""
    if MINUTES < _JUDGED_FROM_MINUTES:
        say(f"{MINUTES:g} minutes are too short to judge growth")
        return []
    seconds = samples.seconds[:number]
    memory = {name: values[:number] for name, values in samples.memory.items()}
    whole = {name: values for name, values in memory.items() if len(values) == number}
    return [*judge_memory(seconds, whole), judge_lag(seconds, samples.lag[:number], RATE)]


def _is_well(document: dict[str, Any], verdicts: list[Verdict]) -> bool:
    drift = document["audit"].get("drift", {"none": 1})
    return (
        not document["faults"]
        and not any(drift.values())
        and all(verdict.is_flat for verdict in verdicts)
        and document["events_per_second"] >= 0.95 * RATE
    )


if __name__ == "__main__":
    sys.exit(main())
