"""A container's health check: it says what is wrong, and does not call well what is not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services import health
from services.health import SIGNS_WITHIN, check_page, check_sign, main

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


@contextmanager
def page(status: int) -> Iterator[int]:
    """The port of a server on this machine that answers /metrics and /health/ready with a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path in ("/metrics", "/health/ready") else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_page_that_answers_is_well() -> None:
    with page(200) as port:
        assert check_page(port, "/metrics") is None


def test_what_answers_otherwise_or_not_at_all_is_not() -> None:
    with page(503) as port:
        assert check_page(port, "/health/ready") == f"/health/ready on port {port} answers 503"
    assert "does not answer" in str(check_page(port, "/health/ready"))
    assert "no port" in str(check_page(0, "/metrics"))


@pytest.mark.parametrize("name", sorted(SIGNS_WITHIN))
def test_a_sign_of_life_grows_old(name: str) -> None:
    assert check_sign(name, {name: NOW - SIGNS_WITHIN[name]}, NOW) is None
    late = check_sign(name, {name: NOW - SIGNS_WITHIN[name] - timedelta(seconds=1)}, NOW)
    assert late is not None
    assert "last sign of life" in late
    assert check_sign(name, {"another": NOW}, NOW) is not None


def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    with page(200) as port:
        monkeypatch.setenv("CANHDICH_WORKER_METRICS_PORT", str(port))
        assert main(["worker"]) == 0
    assert main(["worker"]) == 1
    assert main(["watcher"]) == 3
    assert main([]) == main(["grafana"]) == 2
    monkeypatch.setenv("CANHDICH_WORKER_METRICS_PORT", "many")
    assert main(["worker"]) == 2
    said = capsys.readouterr().err
    assert f"port {port} does not answer" in said
    assert "usage: python -m services.health intake" in said


def test_every_service_of_ours_has_a_check() -> None:
    assert set(health.CHECKS) == {"intake", "worker", "monitor", "watcher", "notifier"}
