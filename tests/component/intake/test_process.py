"""`python -m services.intake`, without Kafka and without a database."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.intake.app import SEND_SECONDS
from tests.component.intake.process import command, running_intake
from tests.unit.intake.door import event


@pytest.fixture
def nowhere() -> Iterator[dict[str, str]]:
    """Settings that point at ports where nobody listens."""
    # Bound without listening: connections are refused, and nobody else takes the port meanwhile.
    with socket.socket() as kafka, socket.socket() as database:
        kafka.bind(("127.0.0.1", 0))
        database.bind(("127.0.0.1", 0))
        yield {
            "KAFKA_BOOTSTRAP": f"127.0.0.1:{kafka.getsockname()[1]}",
            "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{database.getsockname()[1]}/none",
        }


def test_without_kafka_it_runs_refuses_with_503_and_ends_when_told(
    tmp_path: Path, nowhere: dict[str, str]
) -> None:
    with running_intake(tmp_path, nowhere) as intake:
        assert intake.url.startswith("http://127.0.0.1:")
        started = time.monotonic()
        response = httpx.post(f"{intake.url}/v1/events", json=[event(1), event(2)], timeout=60)
        assert response.status_code == 503
        assert response.headers["retry-after"] == "10"
        assert [entry["outcome"] for entry in response.json()["events"]] == ["unconfirmed", "unconfirmed"]
        # A little more than promised, because tests share their machine.
        assert time.monotonic() - started < SEND_SECONDS + 5

        assert httpx.post(f"{intake.url}/v1/events", json={}, timeout=60).status_code == 422
        ready = httpx.get(f"{intake.url}/health/ready", timeout=60)
        assert ready.status_code == 503
        assert [ready.json()[name]["state"] for name in ("kafka", "database")] == ["down", "down"]

        intake.stop(within_seconds=20)
        lines = intake.lines()
        assert "intake_ended" in {line["event"] for line in lines}
        assert "LC-2023" not in intake.log.read_text()
        # Neither the database's address nor its user belongs into a log of requests.
        assert "nobody" not in intake.log.read_text()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "intake.example"])  # noqa: S104
def test_it_does_not_start_on_another_address(host: str) -> None:
    ended = subprocess.run(
        command("--host", host, "--port", "0"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"KAFKA_BOOTSTRAP": "127.0.0.1:1", "DATABASE_URL": "postgresql://x@127.0.0.1:1/x"},
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"intake: The intake does not listen on {host}:")
    assert "Traceback" not in ended.stderr


def test_it_does_not_start_on_a_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            command("--port", str(port)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"KAFKA_BOOTSTRAP": "127.0.0.1:1", "DATABASE_URL": "postgresql://x@127.0.0.1:1/x"},
        )
    assert ended.returncode == 2
    assert f"port {port}" in ended.stderr
