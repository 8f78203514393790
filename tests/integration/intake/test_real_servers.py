"""The intake's own process, real Kafka and TimescaleDB: what 202 promises is looked up in the topic."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from schemas.topics.partitioner import partition_for
from services.settings import Settings
from streams.stores.database import connect
from tests.component.intake.process import IntakeProcess, running_intake
from tests.conftest import environment_of
from tests.integration.intake.conftest import Consume
from tests.unit.intake.door import event, parsed

pytestmark = pytest.mark.native


@pytest.fixture(scope="module")
def intake(scratch_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IntakeProcess]:
    with running_intake(tmp_path_factory.mktemp("intake"), environment_of(scratch_settings)) as running:
        yield running


def fresh_event(**attributes: Any) -> dict[str, Any]:
    """An event of a case of its own."""
    return event(id=str(uuid4()), subject=f"LC-{uuid4()}", **attributes)


def post(intake: IntakeProcess, body: Any) -> httpx.Response:
    return httpx.post(
        f"{intake.url}/v1/events",
        content=body if isinstance(body, bytes) else orjson.dumps(body),
        headers={"content-type": "application/json"},
        timeout=60,
    )


def outcomes(response: httpx.Response) -> list[str]:
    return [entry["outcome"] for entry in response.json()["events"]]


def put_in_journal(settings: Settings, sent: dict[str, Any], content_hash: bytes) -> None:
    """Make an identity known as the fold does."""
    with connect(settings.database_url.get_secret_value()) as connection:
        connection.execute(
            "insert into event_ids (subject, event_id, content_hash) values (%s, %s, %s)",
            (sent["subject"], sent["id"], content_hash),
        )


def test_202_means_that_the_record_is_in_the_topic(
    intake: IntakeProcess, scratch_settings: Settings, consume: Consume
) -> None:
    raw = orjson.dumps(fresh_event(), option=orjson.OPT_INDENT_2)
    response = post(intake, raw)
    assert (response.status_code, outcomes(response)) == (202, ["accepted"])
    found = consume(scratch_settings.topic_prefix + "case-events")
    key = orjson.loads(raw)["subject"].encode()
    assert [record for record in found if record[1] == key] == [(partition_for(key, 12), key, raw)]


def test_a_list_of_a_thousand_is_in_the_topic_whole(
    intake: IntakeProcess, scratch_settings: Settings, consume: Consume
) -> None:
    members = [orjson.dumps(fresh_event()) for _ in range(1_000)]
    response = post(intake, b"[" + b",".join(members) + b"]")
    assert (response.status_code, response.json()["accepted"]) == (202, 1_000)
    found = {value for _, _, value in consume(scratch_settings.topic_prefix + "case-events")}
    assert set(members) <= found


def test_what_is_refused_is_not_in_the_topic(
    intake: IntakeProcess, scratch_settings: Settings, consume: Consume
) -> None:
    good, bad = fresh_event(), fresh_event(data={"sex": "nam"})
    assert post(intake, [good, bad]).status_code == 422
    keys = {key for _, key, _ in consume(scratch_settings.topic_prefix + "case-events")}
    assert keys.isdisjoint({good["subject"].encode(), bad["subject"].encode()})


def test_the_journal_tells_repeats_and_conflicts(
    intake: IntakeProcess, scratch_settings: Settings, consume: Consume
) -> None:
    known, other = fresh_event(), fresh_event()
    put_in_journal(scratch_settings, known, parsed(known).content_hash)
    put_in_journal(scratch_settings, other, b"\0" * 32)
    assert outcomes(post(intake, known)) == ["unchanged"]
    response = post(intake, other)
    assert response.status_code == 409
    assert [error["code"] for error in response.json()["errors"]] == ["identity_conflict"]
    keys = {key for _, key, _ in consume(scratch_settings.topic_prefix + "case-events")}
    assert keys.isdisjoint({known["subject"].encode(), other["subject"].encode()})


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        ({}, []),
        ({"disease": "no_such_disease"}, ["unknown_disease"]),
        ({"area_code": "99999"}, ["unknown_area"]),
    ],
)
def test_the_published_catalogue_gives_the_warnings(
    intake: IntakeProcess, data: dict[str, Any], codes: list[str]
) -> None:
    response = post(intake, fresh_event(data=data))
    assert response.status_code == 202
    assert [warning["code"] for warning in response.json()["events"][0]["warnings"]] == codes


def test_it_is_ready_and_names_no_subject_in_its_log(intake: IntakeProcess) -> None:
    sent = fresh_event()
    assert post(intake, sent).status_code == 202
    response = httpx.get(f"{intake.url}/health/ready", timeout=60)
    assert (response.status_code, response.json()["status"]) == (200, "ready")
    assert sent["subject"] not in intake.log.read_text()
    assert sent["id"] in str(intake.lines())


def test_without_the_database_it_is_degraded_and_accepts(
    scratch_settings: Settings, consume: Consume, tmp_path: Path
) -> None:
    sent = fresh_event(data={"disease": "no_such_disease"})
    put_in_journal(scratch_settings, sent, b"\0" * 32)
    environment = environment_of(scratch_settings) | {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    with running_intake(tmp_path, environment) as intake:
        response = post(intake, sent)
        assert (response.status_code, outcomes(response)) == (202, ["accepted"])
        ready = httpx.get(f"{intake.url}/health/ready", timeout=60)
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        intake.stop(within_seconds=20)
        assert "intake_ended" in {line["event"] for line in intake.lines()}
    keys = {key for _, key, _ in consume(scratch_settings.topic_prefix + "case-events")}
    assert sent["subject"].encode() in keys


def test_without_topics_it_says_what_to_run(scratch_settings: Settings, tmp_path: Path) -> None:
    absent = environment_of(scratch_settings) | {"CANHDICH_TOPIC_PREFIX": "absent-"}
    with running_intake(tmp_path, absent) as intake:
        ready = httpx.get(f"{intake.url}/health/ready", timeout=60)
        assert ready.status_code == 503
        assert "canhdich migrate" in ready.json()["kafka"]["message_en"]
        assert post(intake, fresh_event()).status_code == 503
