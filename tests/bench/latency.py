"""(f) From the intake's 202 to the count that is visible in SQL, at 200 events a second.

Every event is a case of its own with a (commune, day of onset) of its own, so each has a count of its own to
wait for. Senders keep to a clock: a slow answer does not make the next request late.
"""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import orjson

from schemas.catalogue import Catalogue
from streams.stores.database import connect
from tests.bench.results import FOLDER, Measured, say
from tests.bench.stage import Stage, communes, running, workers

RATE = 200
_SENDERS = 8
_DISEASE = "dengue"
_FIRST_DAY = date(2023, 1, 1)
# Codes were used anew from 2025-07-01.
_DAYS = 900
_WARM_UP_SECONDS = 5.0
_LOOK_EVERY = 0.005

Key = tuple[str, str]
"""(area code, day of onset)."""


class _Times:
    """When each count's event was accepted, and when the count was seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.accepted: dict[Key, float] = {}
        self.seen: dict[Key, float] = {}
        self.refused = 0

    def accept(self, key: Key, at: float) -> None:
        with self._lock:
            self.accepted[key] = at

    def waiting(self) -> list[Key]:
        with self._lock:
            return [key for key in self.accepted if key not in self.seen]


def measure(stage: Stage, catalogue: Catalogue, seconds: float) -> Measured:
    """Send for so many seconds, wait for every count; percentiles in milliseconds."""
    codes = [area.code for area in communes(catalogue)]
    number = int(RATE * seconds)
    keys = [(codes[n // _DAYS], (_FIRST_DAY + timedelta(days=n % _DAYS)).isoformat()) for n in range(number)]
    times = _Times()
    with workers(stage), _intake(stage) as port:
        say(f"(f) {RATE} events a second for {seconds:.0f} s ...")
        started = time.perf_counter()
        senders = [
            threading.Thread(target=_send, args=(port, keys, sender, started, times), daemon=True)
            for sender in range(_SENDERS)
        ]
        for sender in senders:
            sender.start()
        _watch(stage, senders, times)
        taken = time.perf_counter() - started
    late = started + _WARM_UP_SECONDS
    milliseconds = sorted(
        (times.seen[key] - at) * 1_000
        for key, at in times.accepted.items()
        if at > late and key in times.seen
    )
    assert len(times.seen) == len(times.accepted) == number - times.refused, "a count never came"
    found = {f"p{p}_ms": round(milliseconds[len(milliseconds) * p // 100], 1) for p in (50, 95, 99)}
    more = {**found, "max_ms": round(milliseconds[-1], 1), "refused": times.refused}
    say(f"(f) {more}")
    return Measured("f", f"HTTP 202 to visible in SQL, {RATE} events/s", number, taken, more)


@contextmanager
def _intake(stage: Stage) -> Iterator[int]:
    """The intake on a free port, answering."""
    argv = ("-m", "services.intake", "--port", "0")
    with running("intake", argv, stage.environment):
        log, deadline, port = Path(FOLDER / "intake.log"), time.monotonic() + 60, 0
        while not port:
            assert time.monotonic() < deadline, f"the intake did not start: look at {log}"
            for line in log.read_text().splitlines():
                if "intake_listens" in line:
                    port = int(orjson.loads(line)["port"])
            time.sleep(0.05)
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", "/health/ready")
                if connection.getresponse().status == 200:
                    break
            except OSError:
                pass
            finally:
                connection.close()
            assert time.monotonic() < deadline, f"the intake is not ready: look at {log}"
            time.sleep(0.1)
        yield port


def _send(port: int, keys: list[Key], sender: int, started: float, times: _Times) -> None:
    """Every eighth event, each at its own moment."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for n in range(sender, len(keys), _SENDERS):
        pause = started + n / RATE - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        connection.request(
            "POST", "/v1/events", _event(n, keys[n]), {"Content-Type": "application/cloudevents+json"}
        )
        response = connection.getresponse()
        response.read()
        if response.status == 202:
            times.accept(keys[n], time.perf_counter())
        else:
            times.refused += 1
    connection.close()


def _event(number: int, key: Key) -> bytes:
    code, day = key
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "/bench/latency",
            "type": "vn.canhdich.case.reported.v1",
            "subject": f"BENCH-{number:07d}",
            "time": datetime.now(UTC).isoformat(),
            "datacontenttype": "application/json",
            "data": {"disease": _DISEASE, "area_code": code, "area_on": day, "onset_on": day},
        }
    )


def _watch(stage: Stage, senders: list[threading.Thread], times: _Times) -> None:
    """Ask for the counts that are waited for until all are there."""
    quiet_since = time.perf_counter()
    with connect(stage.database_url) as connection:
        while True:
            is_sending = any(sender.is_alive() for sender in senders)
            waiting = times.waiting()
            if not waiting and not is_sending:
                return
            rows = connection.execute(
                "select split_part(dc.area_id, '@', 1), dc.day::text "
                "from unnest(%s::text[], %s::date[]) as w (code, day) "
                "inner join daily_counts as dc on dc.day = w.day and dc.disease = %s and dc.basis = 'onset' "
                "and dc.area_id = w.code || '@start'",
                ([code for code, _ in waiting], [day for _, day in waiting], _DISEASE),
            ).fetchall()
            now = time.perf_counter()
            for code, day in rows:
                times.seen[(code, day)] = now
                quiet_since = now
            assert is_sending or now < quiet_since + 60, f"{len(waiting)} counts did not come within a minute"
            time.sleep(_LOOK_EVERY)
