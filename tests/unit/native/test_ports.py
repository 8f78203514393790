from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from deploy.native.errors import NativeError
from deploy.native.ports import HIGHEST, choose_port, is_free, read_ports, settle_ports


def _all_free(port: int) -> bool:
    return True


def test_a_port_someone_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_free(listener.getsockname()[1])


def test_the_first_choice_is_taken_when_free() -> None:
    assert choose_port(9092, set(), _all_free) == 9092


def test_taken_and_reserved_ports_are_passed_over() -> None:
    assert choose_port(9092, {9192}, lambda port: port != 9092) == 9292


def test_no_port_of_outgoing_connections_is_ever_chosen() -> None:
    tried: list[int] = []

    def none_free(port: int) -> bool:
        tried.append(port)
        return False

    with pytest.raises(NativeError, match="No free port"):
        choose_port(9092, set(), none_free)
    assert max(tried) <= HIGHEST


def test_ports_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    said: list[str] = []
    first = settle_ports(path, ("kafka", "kafka_controller"), said.append, lambda port: port != 9092)
    again = settle_ports(path, ("kafka", "kafka_controller", "timescale"), said.append, _all_free)
    assert first == {"kafka": 9192, "kafka_controller": 9093}
    assert again == {**first, "timescale": 5432}
    assert said == []


def test_a_remembered_port_that_was_taken_meanwhile_is_replaced_aloud(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text('{"kafka": 9092}')
    said: list[str] = []
    assert settle_ports(path, ("kafka",), said.append, lambda port: port != 9092) == {"kafka": 9192}
    assert "9092" in said[0]
    assert "9192" in said[0]
    assert json.loads(path.read_text()) == {"kafka": 9192}


def test_the_port_of_a_server_that_stays_up_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text('{"kafka": 9092, "kafka_controller": 9093}')
    ports = settle_ports(path, ("timescale",), print, lambda port: port not in {9092, 9093})
    assert ports == {"kafka": 9092, "kafka_controller": 9093, "timescale": 5432}


@pytest.mark.parametrize("text", ["", "[]", '{"kafka": "9092"}', '{"kafka": 0}', '{"redis": 6379}'])
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ports.json"
    path.write_text(text)
    with pytest.raises(NativeError, match="Delete it"):
        read_ports(path)


def test_no_file_is_no_ports(tmp_path: Path) -> None:
    assert read_ports(tmp_path / "ports.json") == {}
