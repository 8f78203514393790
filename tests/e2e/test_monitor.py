"""The monitor of a running installation: canaries that move nothing, figures, findings, plain words."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.domain.canary import PREFIX
from tests.conftest import NativeStack
from tests.e2e.conftest import Installation, installed

pytestmark = pytest.mark.native

WITHIN = 60.0


@pytest.fixture(scope="module")
def watched(native_stack: NativeStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation whose monitor is in a hurry."""
    folder = tmp_path_factory.mktemp("watched")
    hurry = {"CANHDICH_AUDIT_SECONDS": "1", "CANHDICH_CANARY_SECONDS": "1"}
    with installed(native_stack, folder, **hurry) as installation:
        yield installation


def figures(port: int) -> dict[tuple[str, ...], float]:
    """(name, label values in the order of their names) -> value, of one page for Prometheus."""
    page = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def until(what: str, condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds; what it gives."""
    deadline = time.monotonic() + WITHIN
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {WITHIN:.0f} s: {what}"
        time.sleep(0.1)
    return found


def query(installation: Installation, statement: str, **values: str) -> list[Any]:
    with psycopg.connect(installation.environment["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def post(installation: Installation, subject: str, **data: Any) -> None:
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/facilities/LC-TYT-03549",
        "type": "vn.canhdich.case.reported.v1",
        "subject": subject,
        "time": "2024-07-04T08:12:00+07:00",
        "data": {"disease": "dengue", "area_code": "109", "onset_on": "2024-07-01", **data},
    }
    answer = httpx.post(f"{installation.intake_url}/v1/events", json=event, timeout=30)
    assert answer.status_code == 202, answer.text


def test_canaries_arrive_and_nobody_sees_them(watched: Installation) -> None:
    monitor = watched.ports["monitor"]
    until("a canary", lambda: figures(monitor)[("canhdich_canary_seconds_count",)] >= 1)
    # Those sent before the intake was ready.
    refused = figures(monitor)[("canhdich_canary_refused_total",)]
    until("13 canaries", lambda: figures(monitor)[("canhdich_canary_seconds_count",)] >= 13)
    found = figures(monitor)
    assert found[("canhdich_canary_age_seconds",)] < WITHIN
    assert found[("canhdich_canary_interval_seconds",)] == 1
    assert found[("canhdich_canary_refused_total",)] == refused

    def rows(statement: str, condition: str) -> list[Any]:
        return query(watched, f"{statement} where {condition}", prefix=PREFIX)

    canaries, others = "starts_with(subject, %(prefix)s)", "not starts_with(subject, %(prefix)s)"
    partitions = "select count(distinct kafka_partition), count(distinct subject) from case_events"
    assert rows(partitions, canaries) == [(12, 12)], "each partition has one in turn"
    assert rows("select * from count_changes", canaries) == []
    assert query(watched, "select * from dead_letters") == []
    audit = watched.json("audit")
    assert rows("select count(*) from case_events", others) == [(audit["events"],)]
    assert rows("select count(*) from cases", others) == [(audit["cases"],)]
    assert set(audit["drift"].values()) == {0}


def test_a_case_is_counted_and_the_worker_tells_how(watched: Installation) -> None:
    (worker,) = watched.ports["workers"]
    post(watched, "LC-1")
    post(watched, "LC-2", disease="unheard_of")
    until("both journaled", lambda: query(watched, "select 1 from cases where subject = 'LC-1'"))
    until("parked", lambda: query(watched, "select 1 from parked_events"))
    found = until(
        "both told",
        lambda: (f := figures(worker)).get(("canhdich_worker_events_total", "parked", "case-events")) and f,
    )
    assert found[("canhdich_worker_events_total", "counted", "case-events")] >= 1
    for phase in ("decode", "commit", "announce"):
        assert found[("canhdich_worker_phase_seconds_count", phase, "case-events")] >= 1
    assert found[("canhdich_worker_batch_records_count", "case-events")] >= 1
    assert ("canhdich_worker_restarts",) in found
    assert watched.json("audit")["parked"] == 1
    intake = figures(watched.ports["intake"])
    assert intake[("canhdich_intake_last_accepted_timestamp_seconds",)] > time.time() - 3_600
    assert intake[("canhdich_intake_kafka_seconds_count",)] >= 2


def test_doctor_says_that_all_is_well(watched: Installation) -> None:
    until("a whole sweep", lambda: query(watched, "select 1 from audit_sweeps where ended_at is not null"))
    said = {check["name"]: check for check in json.loads(watched.run("doctor", "--json").stdout)["checks"]}
    for name in ("folding", "dead letters", "canary", "continuous audit"):
        assert said[name]["ok"], said[name]
    assert "came through intake, Kafka and worker" in said["canary"]["found"]
    assert said["continuous audit"]["found"].startswith("no drift; last round")


def test_tampering_is_told_until_it_is_mended(watched: Installation) -> None:
    monitor = watched.ports["monitor"]
    post(watched, "LC-4")
    until("a case", lambda: query(watched, "select 1 from daily_counts where disease = 'dengue'"))

    def drift() -> dict[str, float]:
        return {
            kind[0]: v for (name, *kind), v in figures(monitor).items() if name == "canhdich_audit_findings"
        }

    until("figures", drift)
    assert set(drift().values()) == {0}
    query(watched, "update daily_counts set notified = notified + 1 where disease = 'dengue'")
    until("drift told", lambda: drift()["daily"] > 0)
    said = {check["name"]: check for check in watched.json("doctor", exit_code=1)["checks"]}
    assert "DRIFT" in said["continuous audit"]["found"]
    query(watched, "update daily_counts set notified = notified - 1 where disease = 'dengue'")
    until("mended", lambda: set(drift().values()) == {0})


def test_a_canary_that_does_not_arrive_is_told(watched: Installation) -> None:
    """The worker stands still; the door and Kafka go on."""
    monitor = watched.ports["monitor"]
    with psycopg.connect(watched.environment["DATABASE_URL"]) as held:
        held.execute("lock table event_ids in access exclusive mode")
        until("one waits", lambda: figures(monitor)[("canhdich_canary_waiting_seconds",)] > 2)
        lag = until(
            "lag",
            lambda: sum(v for (name, *_), v in figures(monitor).items() if name == "canhdich_lag_records"),
        )
        assert lag > 0
    until("all arrived", lambda: not figures(monitor)[("canhdich_canary_waiting_seconds",)] > 2)


def test_prometheus_finds_every_service(watched: Installation) -> None:
    targets = json.loads((watched.folder / "data" / "services" / "prometheus-targets.json").read_text())
    jobs = {target["labels"]["job"] for target in targets}
    assert jobs == {"canhdich-intake", "canhdich-monitor", "canhdich-worker"}
    for target in targets:
        (address,) = target["targets"]
        assert httpx.get(f"http://{address}/metrics", timeout=10).status_code == 200


def test_a_worker_that_was_killed_says_so(watched: Installation) -> None:
    (worker,) = watched.ports["workers"]
    watched.kill_worker()

    def restarts() -> float:
        try:
            return figures(worker).get(("canhdich_worker_restarts",), 0)
        except httpx.HTTPError:
            return 0

    until("a restart", lambda: restarts() == 1)


def test_workers_of_an_older_schema_do_not_go_on(watched: Installation) -> None:
    """Zero drift afterwards, and other processes than before; `migrate` alone refuses while they run."""
    children = watched.folder / "data" / "services" / "children.json"
    supervisor = watched.folder / "data" / "services" / "supervisor.pid"
    before, supervised_by = json.loads(children.read_text()), supervisor.read_text()
    for table in ("positions", "sweeps", "rounds", "findings"):
        # With the boards' views of them, which come back with the migration.
        query(watched, f"drop table audit_{table} cascade")
    for table in ("case_events", "dead_letters"):
        query(watched, f"drop index {table}_known_at_idx")
    query(watched, "delete from _yoyo_migration where migration_id = '0003.continuous-audit'")

    refused = watched.run("migrate")
    assert refused.returncode == 2
    assert "canhdich up" in refused.stderr
    up = watched.run("up")
    assert up.returncode == 0, up.stderr
    assert "0003.continuous-audit" in up.stderr
    assert query(watched, "select to_regclass('boards.stream_now') is not null") == [(True,)]
    after = json.loads(children.read_text())
    assert len(after) == len(before)
    assert not {child["pid"] for child in before} & {child["pid"] for child in after}
    assert supervisor.read_text() != supervised_by
    post(watched, "LC-3")
    until("counted", lambda: query(watched, "select 1 from cases where subject = 'LC-3'"))
    assert set(watched.json("audit")["drift"].values()) == {0}

    again = watched.run("up")
    assert again.returncode == 0, again.stderr
    assert "running already" in again.stderr
    assert json.loads(children.read_text()) == after
