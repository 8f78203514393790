"""`canhdich areas …` as typed, and that what a load moved is announced until Kafka has it."""

import gc
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.announcing import announce_loads
from services.settings import Settings
from streams.domain.errors import DependencyDown
from streams.stores.broker import COUNT_CHANGES
from streams.stores.catalogue import unannounced_changes
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from tests.builders import event, position, records
from tests.conftest import SettingsFactory, environment_of
from tests.e2e.conftest import CANHDICH
from tests.fakes import run
from tests.integration.streams.conftest import read_all
from tests.ledger_contract import fold

pytestmark = [
    pytest.mark.native,
    # kafka-python leaves its sockets open when no broker answers.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _sockets_are_collected_here() -> Iterator[None]:
    """Where it is expected, and not in some later test."""
    yield
    gc.collect()


AREAS = "code,kind,name_vi,parent_code,valid_from\n"
LINKS = "from_code,to_code,on,kind,is_default\n"


def areas(configured: Settings, *arguments: str, exit_code: int = 0) -> tuple[Any, str]:
    """The document of a command, and what it says on standard error."""
    done = subprocess.run(
        [CANHDICH, "areas", *arguments, "--json"],
        env=environment_of(configured),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == exit_code, done.stderr + done.stdout
    return json.loads(done.stdout), done.stderr


@pytest.fixture
def configured(settings_for: SettingsFactory, fresh_database_url: str, fresh_topic_prefix: str) -> Settings:
    return settings_for(fresh_database_url, fresh_topic_prefix)


@pytest.mark.timeout(900)
def test_a_decree_from_the_unknown_code_to_the_announcement(
    configured: Settings, fresh_database_url: str, tmp_path: Path
) -> None:
    ledger = PostgresLedger(fresh_database_url)
    assert run(ledger.replace_positions({0: None}, {0: position()}))
    at = datetime(2026, 7, 1, tzinfo=UTC)
    fold(ledger, records([event("LC-1", 1, time=at, area_code="03999", onset_on="2026-06-05")], at=at))
    ledger.close()

    (waiting,), _ = areas(configured, "parked")
    assert (waiting["code"], waiting["events"], waiting["subject"]) == ("03999", 1, "LC-1")
    document, said = areas(configured, "show", "03999", exit_code=1)
    assert document["meanings"] == []
    assert "means nothing" in said

    decree = tmp_path / "nq-9"
    decree.mkdir()
    (decree / "areas.csv").write_text(AREAS + "03999,commune,,12,2026-06-01\n")
    wrong, said = areas(configured, "load", str(decree), exit_code=1)
    assert [(p["file"], p["row"], p["column"]) for p in wrong["problems"]] == [("areas.csv", 2, "name_vi")]
    assert "Bỏ trống" in said

    rows = "03999,commune,Xã Bản Bo,12,2026-06-01\n03390,commune,Xã Bình Lư,12,2026-06-01\n"
    (decree / "areas.csv").write_text(AREAS + rows)
    split = "03390,03390,2026-06-01,part,true\n03390,03999,2026-06-01,part,false\n"
    (decree / "links.csv").write_text(LINKS + split)
    trial, _ = areas(configured, "load", str(decree), "--dry-run")
    assert (trial["unparked_events"], trial["announced"]) == (1, 0)
    assert areas(configured, "files")[0] == []
    done, _ = areas(configured, "load", str(decree))
    assert (done["name"], done["unparked_events"], done["announced"]) == ("nq-9", 1, 1)
    assert [area["code"] for area in done["added"]] == ["03390", "03999"]
    assert areas(configured, "parked")[0] == []
    assert [kept["name"] for kept in areas(configured, "files")[0]] == ["nq-9"]
    (told,) = read_all(configured.kafka_bootstrap, configured.topic_prefix + COUNT_CHANGES)
    assert json.loads(told.value) == {
        "disease": "dengue",
        "area_code": "03999",
        "area_id": "03999@2026-06-01",
    }
    (meaning,) = areas(configured, "show", "03999", "--on", "2026-11-01")[0]["meanings"]
    assert [area["id"] for area in meaning["predecessors"]] == ["03390@2025-07-01"]
    # Nothing is announced twice once Kafka has it.
    with connect(fresh_database_url) as connection:
        assert announce_loads(connection, configured) == 0


def test_what_could_not_be_announced_stays_to_be_announced(configured: Settings) -> None:
    with connect(configured.database_url.get_secret_value()) as connection:
        connection.execute("update catalogue_loads set announced_at = null")
        connection.execute(
            "insert into count_changes select known_at, 'LC-1', gen_random_uuid(), 'dengue', '03390@start', "
            "'onset', '2024-05-01', '', '', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, null, null, load_id "
            "from catalogue_loads"
        )
        nowhere = configured.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
        with pytest.raises(DependencyDown):
            announce_loads(connection, nowhere)
        assert len(unannounced_changes(connection)[1]) == 1
        assert announce_loads(connection, configured) == 1
        assert unannounced_changes(connection) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"code\xff\xfe", "CSV UTF-8"), (b"", "none of those known")],
)
def test_files_that_are_none(
    configured: Settings, tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "x.csv"
    if content is not None:
        file.write_bytes(content)
    done = subprocess.run(
        [CANHDICH, "areas", "load", str(file)],
        env=environment_of(configured),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == (1 if content == b"" else 2)
    assert message in done.stderr
