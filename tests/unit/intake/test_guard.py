"""Who is served, what is logged, and how the other addresses answer."""

import pytest
import structlog

from services.intake.__main__ import bind
from services.intake.people.site import Site, is_loopback
from services.logs import name_exception_only
from streams.domain.errors import ConfigurationError
from tests.fakes_intake import FakeSink
from tests.unit.intake.door import SETTINGS, Doorstep, event

LOCAL = ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "::1", "[::1]"]
ELSEWHERE = [
    "0.0.0.0",  # noqa: S104
    "::",
    "",
    "10.0.0.1",
    "192.168.1.5",
    "intake.example",
    "127.0.0.1.example",
    "localhost.example",
]


@pytest.mark.parametrize("host", LOCAL)
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_nothing_else_is_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_it_refuses_to_listen_elsewhere_without_a_public_url(host: str) -> None:
    with pytest.raises(ConfigurationError, match="does not listen on"):
        Site.of(SETTINGS.model_copy(update={"intake_host": host}))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_listens_on_loopback(host: str) -> None:
    with bind(host, 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_said_in_a_sentence() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}.*CANHDICH_INTAKE_PORT"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("client", ["10.0.0.7", "192.168.1.9"])
def test_a_client_elsewhere_is_not_served(client: str) -> None:
    with Doorstep(client=(client, 50_000)) as door:
        response = door.post(event())
        assert response.status_code == 403
        assert response.json()["type"] == "/docs#not-here"
        assert door.sink.records == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "10.0.0.1:8080", ""])
def test_a_name_that_another_site_could_point_here_is_not_served(door: Doorstep, host: str) -> None:
    assert door.post(event(), host=host).status_code == 403
    assert door.sink.records == []


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1", "[::1]", "[::1]:8080"])
def test_its_own_names_are_served(door: Doorstep, host: str) -> None:
    assert door.post(event(), host=host).status_code == 202


def test_a_header_cannot_pretend_to_come_from_here() -> None:
    with Doorstep(client=("10.0.0.7", 50_000)) as door:
        assert door.post(event(), **{"x-forwarded-for": "127.0.0.1"}).status_code == 403


def test_an_unknown_address_is_a_problem_document(door: Doorstep) -> None:
    response = door.get("/v1/events/LC-2023-000001")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "LC-2023" not in response.text


def test_another_method_is_a_problem_document(door: Doorstep) -> None:
    response = door.request("PUT", "/v1/events")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["type"] == "/docs#method-not-allowed"


@pytest.mark.parametrize("path", ["/redoc", "/docs/oauth2-redirect"])
def test_the_frameworks_own_pages_are_off(door: Doorstep, path: str) -> None:
    assert door.get(path).status_code == 404


class TestLogs:
    def test_name_events_by_id_only(self, door: Doorstep) -> None:
        with structlog.testing.capture_logs() as lines:
            door.post([event(7), event(8)])
            door.post(event(9, data={"hamlet": "Tẩn Seo Chẻo"}))
            door.get("/v1/events/LC-2023-000007?subject=LC-2023-000007")
            door.request("X-LC-2023-000007", "/v1/events")
        text = str(lines)
        assert "00000000-0000-0000-0000-000000000007" in text
        for value in ("LC-2023", "streptococcus", "Chẻo", "facilities"):
            assert value not in text
        requests = [line for line in lines if line["event"] == "request"]
        assert [(line["method"], line["route"], line["status"]) for line in requests] == [
            ("POST", "/v1/events", 202),
            ("POST", "/v1/events", 422),
            ("GET", "/v1/events/{event_id}", 404),
            ("other", "/v1/events", 405),
        ]

    def test_a_long_list_is_not_a_long_line(self, door: Doorstep) -> None:
        with structlog.testing.capture_logs() as lines:
            door.post([event(n) for n in range(1, 101)])
        (accepted,) = [line for line in lines if line["event"] == "events_accepted"]
        assert (accepted["events"], len(accepted["event_ids"])) == (100, 20)

    def test_an_exception_is_named_without_its_message(self) -> None:
        error = ValueError("LC-2023-000001")
        line = name_exception_only(None, "error", {"event": "x", "exc_info": (ValueError, error, None)})
        assert line == {"event": "x", "error": "ValueError"}
        try:
            raise error
        except ValueError:
            assert name_exception_only(None, "error", {"exc_info": True}) == {"error": "ValueError"}


class TestHealth:
    def test_live(self, door: Doorstep) -> None:
        response = door.get("/health/live")
        assert (response.status_code, response.json()) == (200, {"status": "alive"})

    def test_ready(self, door: Doorstep) -> None:
        response = door.get("/health/ready")
        assert response.status_code == 200
        assert response.json()["status"] == "ready"
        assert [response.json()[name]["state"] for name in ("kafka", "database")] == ["up", "up"]

    def test_without_the_database_it_is_degraded_and_still_serves(self, door: Doorstep) -> None:
        door.knowledge.is_down = True
        response = door.get("/health/ready")
        assert response.status_code == 200
        assert response.json()["status"] == "degraded"
        assert response.json()["database"]["state"] == "down"
        assert "doctor" in response.json()["database"]["message_en"]

    def test_without_kafka_it_is_down(self, door: Doorstep) -> None:
        door.sink.is_down = True
        response = door.get("/health/ready")
        assert response.status_code == 503
        assert response.json()["status"] == "down"

    def test_what_is_not_set_up_says_so(self) -> None:
        class NoTopics(FakeSink):
            async def check(self) -> None:
                raise ConfigurationError("Kafka has no topic")

        with Doorstep(NoTopics()) as door:
            response = door.get("/health/ready")
            assert response.status_code == 503
            assert "canhdich migrate" in response.json()["kafka"]["message_en"]


def test_metrics_count_what_happened(door: Doorstep) -> None:
    door.post([event(1), event(1), event(2, data={"disease": "zika"})])
    door.post(b"{")
    door.post([event(3, time=None), event(4, time=None)])
    assert door.metric("canhdich_intake_events_total", outcome="accepted") == 2
    assert door.metric("canhdich_intake_events_total", outcome="repeat") == 1
    assert door.metric("canhdich_intake_warnings_total", code="unknown_disease") == 1
    assert door.metric("canhdich_intake_refused_total", reason="not-json") == 1
    assert door.metric("canhdich_intake_refused_total", reason="invalid") == 1
    assert door.metric("canhdich_intake_faults_total", code="missing") == 2
    assert door.metric("canhdich_intake_request_seconds_count", route="/v1/events", status="202") == 1
    assert door.metric("canhdich_intake_open_bytes") == 0


def test_the_end_closes_what_was_opened(door: Doorstep) -> None:
    door.post(event())
    door.close()
    assert door.sink.is_closed
    assert door.knowledge.is_closed
