"""Whatever the description of the API calls possible or impossible: no server error, described answers.

By schemathesis over the real application with fakes behind it. FUZZ_EXAMPLES=5000 FUZZ_SEED=7 runs longer and
elsewhere.
"""

import os
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.intake.openapi import build_openapi
from streams.domain.alerts import AlertEvent, judged
from streams.domain.receipts import Fate
from streams.domain.rules.verdicts import Level, Outcome
from tests.fakes_intake import FakeAlertBook, FakeKnowledge, small_catalogue
from tests.unit.domain.test_alerts import LIFE, START, verdict
from tests.unit.intake.door import Doorstep
from tests.unit.intake.test_receipts import buried, journaled

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
EVENT_ID = UUID(int=1)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@cache
def operations() -> dict[str, Any]:
    """What the description offers, by method and path."""
    # Keys that somebody makes up would lead no further than 401.
    document = {name: part for name, part in build_openapi().items() if name != "security"}
    described = schemathesis.openapi.from_dict(document)
    return {(operation := found.ok()).label: operation for found in described.get_all_operations()}


def raised() -> AlertEvent:
    event = judged([], verdict(20, Outcome.OUTBREAK, Level.OUTBREAK), START, LIFE)
    assert event is not None
    return event


ALERT = raised()


def knowledge(kind: type[FakeKnowledge] = FakeKnowledge) -> FakeKnowledge:
    """A database that knows of one event id."""
    known = kind(catalogue=small_catalogue())
    known.fates[EVENT_ID] = Fate(EVENT_ID, [journaled()], [buried("LC-4")])
    return known


@pytest.fixture
def door() -> Iterator[Doorstep]:
    with Doorstep(alerts=FakeAlertBook(ALERT), knowledge=knowledge()) as made:
        yield made


def attack(door: Doorstep, label: str, mode: GenerationMode, examples: int = EXAMPLES) -> list[int]:
    """Send many requests to an operation; the statuses of the answers.

    Raises:
        FailureGroup: a server error, or an answer that is not described.
    """
    # Ids that are known lead further than those that nobody has heard of.
    known = {"event_id": str(EVENT_ID), "alert_id": str(ALERT.alert_id)}
    names = {name for name in known if f"{{{name}}}" in label}
    fixed = {"path_parameters": {name: known[name] for name in names}} if mode is _VALID and names else {}
    statuses = []

    @seed(SEED)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operations()[label].as_strategy(generation_mode=mode, **fixed))
    def each(case: Any) -> None:
        request = requests.Request(**case.as_transport_kwargs("http://127.0.0.1:8080")).prepare()
        body = request.body.encode() if isinstance(request.body, str) else request.body
        response = door.request(request.method, request.url, content=body, headers=dict(request.headers))
        statuses.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    each()
    return statuses


_VALID, _INVALID = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
_WITH_INPUT = sorted(label for label in operations() if "/v1/" in label)
_WITHOUT_INPUT = sorted(operations().keys() - set(_WITH_INPUT))


@pytest.mark.parametrize("label", _WITH_INPUT)
def test_what_is_described_is_answered_as_described(door: Doorstep, label: str) -> None:
    assert {status // 100 for status in attack(door, label, _VALID)} <= {2, 4}


@pytest.mark.parametrize("label", _WITH_INPUT)
def test_what_is_not_described_is_refused_as_described(door: Doorstep, label: str) -> None:
    assert 4 in {status // 100 for status in attack(door, label, _INVALID)}


def test_what_takes_no_input_is_answered_as_described(door: Doorstep) -> None:
    for label in _WITHOUT_INPUT:
        assert attack(door, label, _VALID, 1)[0] < 500


class BrokenKnowledge(FakeKnowledge):
    """Fails at some subjects, as nobody foresaw."""

    async def fate(self, event_id: UUID, subject: str | None) -> Fate:
        if subject is not None and len(subject) > 3:
            raise KeyError(subject)
        return await super().fate(event_id, subject)


class BrokenAlertBook(FakeAlertBook):
    """Gives a number of cases that is none."""

    async def inbox(self, **asked: Any) -> list[dict[str, Any]] | None:
        rows = await super().inbox(**asked)
        return None if rows is None else [{**row, "cases": "many"} for row in rows]


@pytest.mark.parametrize(
    ("label", "sabotage", "found"),
    [
        ("GET /v1/events/{event_id}", {"knowledge": BrokenKnowledge}, "Server error"),
        ("GET /v1/alerts", {"alerts": BrokenAlertBook}, "violates schema"),
    ],
)
def test_a_seeded_fault_is_found(label: str, sabotage: dict[str, type], found: str) -> None:
    book = sabotage.get("alerts", FakeAlertBook)(ALERT)
    known = knowledge(sabotage.get("knowledge", FakeKnowledge))
    with Doorstep(alerts=book, knowledge=known) as door, pytest.raises(FailureGroup) as failures:
        attack(door, label, _VALID)
    assert found in _titles(failures.value.exceptions)


def _titles(failures: Sequence[BaseException]) -> str:
    return "; ".join(f"{getattr(failure, 'title', '')}: {failure}" for failure in failures)
