"""Alerts while the watcher and the notifier are killed: each alert once, each delivery at least once.

ALERT_STORM sets how many alerts; 60 by default, 1,000 in `make test-faults`.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from schemas.catalogue import Catalogue
from schemas.topics import load_topics
from services.watcher import ALERTS
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.recipients import Recipient
from streams.domain.rules.verdicts import Level
from streams.stores.deliveries import load_recipients
from tests.builders import event
from tests.contract.records import find_faults
from tests.http_receiver import http_receiver
from tests.integration.streams.conftest import Installation, until

pytestmark = [pytest.mark.native, pytest.mark.timeout(900)]

STORM = int(os.environ.get("ALERT_STORM", "60"))
# Each case of these alerts at once: `cdc_single_case` in schemas/catalogue/rules/thresholds.yaml.
DISEASES = ("anthrax", "diphtheria", "meningococcal", "rabies", "streptococcus_suis")
PATIENCE = 60 + STORM


class Department:
    """The receiver's side: refuses some requests, remembers what it accepted."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.accepted: list[dict[str, str]] = []
        self.requests = 0
        self._lock = threading.Lock()

    def take(self, _: Mapping[str, str], body: bytes) -> int:
        with self._lock:
            self.requests += 1
            if self.requests <= self.refusals:
                return 503
            self.accepted.append(json.loads(body))
            return 204


@pytest.fixture
def department() -> Iterator[tuple[Department, str]]:
    department = Department(refusals=2)
    with http_receiver(department.take) as url:
        yield department, url


def test_each_alert_exists_once_and_each_delivery_arrives_whoever_is_killed(
    installation: Installation, department: tuple[Department, str], published_catalogue: Catalogue
) -> None:
    receiver, url = department
    load_recipients(
        installation.connection,
        [Recipient("soyte", "Sở Y tế", "webhook", url, None, None, Level.ATTENTION, "vi")],
        "tests",
    )
    installation.settings = installation.settings.model_copy(update={"webhook_secret": SecretStr("k3y")})
    expected = storm(published_catalogue)
    now = datetime.now(LOCAL_ZONE)
    installation.send_events(
        event(
            f"LC-{number}",
            number,
            time=now - timedelta(hours=1),
            disease=disease,
            area_code=area_id[:5],
            onset_on=now.date().isoformat(),
        )
        for number, (disease, area_id) in enumerate(sorted(expected), 1)
    )

    def raised() -> int:
        ((number,),) = installation.connection.execute(
            "select count(*) from alerts where rule_id = 'cdc_single_case'"
        ).fetchall()
        return int(number)

    def unpublished() -> int:
        ((number,),) = installation.connection.execute(
            "select count(*) from alert_events where published_at is null"
        ).fetchall()
        return int(number)

    def waiting() -> int:
        ((number,),) = installation.connection.execute(
            "select count(*) from alert_deliveries where sent_at is null"
        ).fetchall()
        return int(number)

    installation.start()
    notifier = installation.start("services.notify")
    for share in (0.2, 0.5):
        watcher = installation.start("services.watcher")
        until(lambda wanted=share: raised() > wanted * STORM, "alerts are raised", PATIENCE)  # type: ignore[misc]
        watcher.kill()
    until(lambda: receiver.requests > 0, "the notifier sends", PATIENCE)
    notifier.kill()
    installation.start("services.watcher")
    until(lambda: raised() == STORM, "every alert is raised", PATIENCE)
    installation.start("services.notify")
    try:
        until(lambda: waiting() == 0, "every delivery is sent", PATIENCE)
        until(lambda: unpublished() == 0, "every step is published", PATIENCE)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{installation.logs()}") from None

    found = installation.connection.execute(
        "select a.disease, a.area_id, count(*) filter (where ae.kind = 'raised') "
        "from alerts as a inner join alert_events as ae on a.alert_id = ae.alert_id "
        "where a.rule_id = 'cdc_single_case' group by a.alert_id"
    ).fetchall()
    assert Counter((disease, area_id) for disease, area_id, _ in found) == Counter(expected)
    assert {births for *_, births in found} == {1}

    ids = {
        str(alert_id)
        for (alert_id,) in installation.connection.execute(
            "select distinct alert_id from alert_deliveries where kind = 'immediate'"
        )
    }
    told = {alert["alert_id"] for sent in receiver.accepted for alert in sent["data"]["alerts"]}  # type: ignore[index]
    assert told == ids
    assert len(ids) >= STORM

    topic = load_topics()[ALERTS]
    records = installation.topic_records(ALERTS)
    for record in records:
        assert find_faults(topic, {"key": record.key.decode(), "value": json.loads(record.value)}) == []
    everything = installation.connection.execute("select count(*) from alert_events").fetchone()
    assert everything is not None
    assert len(records) >= everything[0]
    published = {json.loads(record.value)["alert_id"] for record in records}
    assert ids <= published


def storm(catalogue: Catalogue) -> set[tuple[str, str]]:
    """Disease and commune of as many cases, one each."""
    communes = sorted(area.id for area in catalogue.areas if area.kind == "commune" and area.valid_to is None)
    pairs = [(disease, commune) for commune in communes for disease in DISEASES]
    assert len(pairs) >= STORM
    return set(pairs[:STORM])
