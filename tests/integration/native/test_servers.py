"""A second instance beside the one in use: started, killed, started again, stopped, wiped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.native import stack
from deploy.native.layout import REPOSITORY, Layout, layout

pytestmark = pytest.mark.native
TOPIC = "native-test"


def _environment() -> dict[str, str]:
    foreign = {"KAFKA_BOOTSTRAP", "DATABASE_URL", "CANHDICH_NATIVE_HOME"}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {**kept, "CANHDICH_NATIVE_CACHE": str(layout().cache)}


def _command(*arguments: str, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.native", *arguments, "--home", str(home)],
        cwd=REPOSITORY,
        env=_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _native(*arguments: str, home: Path, code: int = 0) -> str:
    with _command(*arguments, home=home) as command:
        output, _ = command.communicate(timeout=240)
    assert command.returncode == code, output
    return output


@pytest.fixture(scope="module")
def instance() -> Iterator[Layout]:
    """A running instance of its own, started twice at the same time."""
    # Not pytest's folder: as root that one is closed to the account PostgreSQL runs as.
    home = Path(tempfile.mkdtemp(prefix="canhdich-native-"))
    home.chmod(0o755)
    try:
        with _command("up", home=home) as one, _command("up", home=home) as other:
            outputs = [one.communicate(timeout=240)[0], other.communicate(timeout=240)[0]]
        assert [one.returncode, other.returncode] == [0, 0], outputs
        both = "".join(outputs)
        assert both.count("Kafka is up") == both.count("TimescaleDB is up") == 1
        assert both.count("is already running") == 2
        yield Layout(home, layout().cache)
    finally:
        _native("wipe", home=home)
        shutil.rmtree(home)


def _addresses(instance: Layout) -> tuple[str, str]:
    lines = dict(line.split("=", 1) for line in instance.env_file.read_text().splitlines())
    return lines["KAFKA_BOOTSTRAP"], lines["DATABASE_URL"]


def _send(bootstrap: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    producer.send(TOPIC, value, partition=0).get(timeout=30)
    producer.close()


def _values(bootstrap: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(
        TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=30_000
    )
    values = [record.value for _, record in zip(range(count), consumer, strict=False)]
    consumer.close()
    return values


def _taken(url: str) -> socket.socket:
    """Listen on the database's port, as another program would."""
    return socket.create_server(("127.0.0.1", int(url.rsplit(":", 1)[1].split("/")[0])))


def test_what_was_acknowledged_survives_a_kill_and_a_stop(instance: Layout) -> None:
    bootstrap, url = _addresses(instance)
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(TOPIC, 1, 1)])
    admin.close()
    _send(bootstrap, b"before the kill")
    with psycopg.connect(url) as connection:
        connection.execute("create table seen (at timestamptz not null, value text)")
        connection.execute("select create_hypertable('seen', 'at')")
        connection.execute("insert into seen values ('2023-07-01', 'before the kill')")

    assert "killed: kafka, timescale" in _native("kill", home=instance.home)
    assert "down" in _native("status", home=instance.home, code=1)
    _native("up", home=instance.home)
    _send(bootstrap, b"before the stop")
    with psycopg.connect(url) as connection:
        connection.execute("insert into seen values ('2023-07-02', 'before the stop')")

    stopped = _native("down", home=instance.home)
    assert "Kafka is stopped" in stopped
    assert "TimescaleDB is stopped" in stopped
    _native("up", home=instance.home)
    assert _addresses(instance) == (bootstrap, url)
    assert _values(bootstrap, 2) == [b"before the kill", b"before the stop"]
    with psycopg.connect(url) as connection:
        rows = connection.execute("select value from seen order by at").fetchall()
    assert rows == [("before the kill",), ("before the stop",)]


def test_one_server_can_be_killed_and_started_alone(instance: Layout) -> None:
    before = {server.name: server.pid for server in stack.status(instance)}
    _native("kill", "timescale", home=instance.home)
    status = {server.name: server for server in stack.status(instance)}
    assert status["timescale"].pid is None
    assert status["kafka"].pid == before["kafka"]
    _native("up", "timescale", home=instance.home)
    status = {server.name: server for server in stack.status(instance)}
    assert status["timescale"].healthy
    assert status["timescale"].pid != before["timescale"]


def test_a_taken_port_is_passed_over_and_the_data_comes_along(instance: Layout) -> None:
    _, url = _addresses(instance)
    with psycopg.connect(url) as connection:
        connection.execute("create table moved ()")
    _native("down", "timescale", home=instance.home)
    with _taken(url):
        assert "is now used by another program" in _native("up", "timescale", home=instance.home)
    _, moved = _addresses(instance)
    assert moved != url
    with psycopg.connect(moved) as connection:
        assert connection.execute("select to_regclass('moved') is not null").fetchone() == (True,)


def test_a_server_that_cannot_start_shows_its_log(instance: Layout) -> None:
    _native("down", "timescale", home=instance.home)
    control = instance.timescale / "data" / "global" / "pg_control"
    saved = control.with_name("saved")
    control.rename(saved)
    try:
        output = _native("up", "timescale", home=instance.home, code=1)
    finally:
        saved.rename(control)
    assert "TimescaleDB ended while it was starting" in output
    assert "pg_control" in output
    _native("up", "timescale", home=instance.home)


def test_the_database_is_as_promised(instance: Layout) -> None:
    _, url = _addresses(instance)
    with psycopg.connect(url) as connection:
        row = connection.execute(
            """
            select
                current_setting('timezone'),
                current_setting('fsync'),
                lower('ĐIỆN BIÊN'),
                (select count(*) from pg_extension where extname = 'timescaledb')
            """
        ).fetchone()
    assert row == ("UTC", "on", "điện biên", 1)


def test_a_wrong_password_is_refused(instance: Layout) -> None:
    _, url = _addresses(instance)
    scheme, rest = url.split("://", 1)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"{scheme}://canhdich:guess@{rest.rsplit('@', 1)[1]}")


def test_wiping_leaves_no_data_and_the_next_start_is_empty() -> None:
    home = Path(tempfile.mkdtemp(prefix="canhdich-native-"))
    home.chmod(0o755)
    try:
        _native("up", "timescale", home=home)
        where = Layout(home, layout().cache)
        url = dict(line.split("=", 1) for line in where.env_file.read_text().splitlines())["DATABASE_URL"]
        with psycopg.connect(url) as connection:
            connection.execute("create table seen ()")
        _native("wipe", home=home)
        assert [path.name for path in home.iterdir()] == ["lock"]
        assert where.timescale_root.is_dir()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=5)
    finally:
        _native("wipe", home=home)
        shutil.rmtree(home)
