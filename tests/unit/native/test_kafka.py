from __future__ import annotations

import socket
import struct
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.native import kafka, timescale
from deploy.native.errors import NativeError
from deploy.native.layout import Layout

PORTS = {"kafka": 9192, "kafka_controller": 9193, "timescale": 5532}


@contextmanager
def _answering(answer: bytes) -> Iterator[int]:
    """A server that reads one request, answers these bytes and hangs up; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _metadata(correlation: int, brokers: int) -> bytes:
    body = struct.pack(">ii", correlation, brokers)
    return struct.pack(">i", len(body)) + body


def test_a_broker_that_lists_itself_is_healthy() -> None:
    with _answering(_metadata(1, 1)) as port:
        assert kafka.is_healthy(port)


@pytest.mark.parametrize(
    "answer",
    [b"", b"\0\0", _metadata(1, 0), _metadata(2, 1), b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    ids=["hangs up", "hangs up early", "no broker yet", "another's answer", "not Kafka"],
)
def test_anything_else_is_not_a_healthy_broker(answer: bytes) -> None:
    with _answering(answer) as port:
        assert not kafka.is_healthy(port)


def test_an_id_that_kafka_would_read_as_an_option_is_drawn_again() -> None:
    drawn = iter([uuid.UUID(bytes=b"\xf8" * 16), uuid.UUID(bytes=b"\xf7" * 16)])
    assert kafka.new_cluster_id(lambda: next(drawn)) == "9_f39_f39_f39_f39_f39w"


def test_a_database_that_asks_for_a_password_is_healthy() -> None:
    with _answering(b"R\0\0\0\x17\0\0\0\nSCRAM-SHA-256\0\0") as port:
        assert timescale.is_healthy(port)


@pytest.mark.parametrize("answer", [b"", b"E\0\0\0\x04", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_anything_else_is_not_a_healthy_database(answer: bytes) -> None:
    with _answering(answer) as port:
        assert not timescale.is_healthy(port)


def test_nobody_listening_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not kafka.is_healthy(port)
    assert not timescale.is_healthy(port)


def test_the_broker_listens_on_this_machine_only_and_makes_no_topics_of_its_own(tmp_path: Path) -> None:
    lines = kafka.server_properties(tmp_path, PORTS).splitlines()
    assert "listeners=PLAINTEXT://127.0.0.1:9192,CONTROLLER://127.0.0.1:9193" in lines
    assert "controller.quorum.voters=1@127.0.0.1:9193" in lines
    assert "auto.create.topics.enable=false" in lines
    assert f"log.dirs={tmp_path}" in lines


def test_a_broker_with_logins_lets_nobody_in_without_and_asks_what_each_may_do(tmp_path: Path) -> None:
    lines = kafka.server_properties(tmp_path, PORTS, "admins-password").splitlines()
    assert "listeners=SASL_PLAINTEXT://127.0.0.1:9192,CONTROLLER://127.0.0.1:9193" in lines
    assert "listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT" in lines
    assert "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer" in lines
    assert "allow.everyone.if.no.acl.found=false" in lines
    assert "super.users=User:admin" in lines
    without = kafka.server_properties(tmp_path, PORTS).splitlines()
    assert not [
        line for line in without if line.startswith(("authorizer", "super.users", "sasl", "listener.name"))
    ]


def test_the_database_listens_on_this_machine_only_and_writes_before_it_answers() -> None:
    lines = timescale.settings(5532, 8 * 1024**3).splitlines()
    assert "listen_addresses = '127.0.0.1'" in lines
    assert "fsync = on" in lines
    assert "synchronous_commit = on" in lines


@pytest.mark.parametrize(("memory_gibibytes", "mebibytes"), [(0.5, 128), (4, 512), (64, 1024)])
def test_the_databases_cache_grows_with_memory_within_bounds(memory_gibibytes: float, mebibytes: int) -> None:
    assert timescale.shared_buffers_mebibytes(int(memory_gibibytes * 1024**3)) == mebibytes


def test_a_kafka_home_without_kafka_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    with pytest.raises(NativeError, match="unpacked Apache Kafka distribution"):
        kafka.libraries(Layout(tmp_path, tmp_path))


def test_a_kafka_home_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kafka_2.13-4.4.0.jar").touch()
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert kafka.libraries(Layout(tmp_path, tmp_path)) == tmp_path / "libs"


def test_the_version_is_that_of_the_pom() -> None:
    assert f"<kafka.version>{kafka.pom_version()}</kafka.version>" in kafka.POM.read_text()
