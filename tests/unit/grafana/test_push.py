"""Push brings everything into Grafana once, check sees what differs, and errors say what to do."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from services.cli import dashboards_command
from services.cli.main import app
from services.grafana.push import changes
from services.grafana.server import Server
from services.grafana.wanted import BOARDS, PROVISIONING, Wanted, read_wanted
from services.settings import Settings
from streams.domain.errors import ConfigurationError, DependencyDown, RefusedAction
from tests.grafana_fake import FakeGrafana, Refusal, serving

ADDRESS = "CANHDICH_GRAFANA_DATABASE_ADDRESS"
ENVIRONMENT = {ADDRESS: "timescaledb:5432", "CANHDICH_GRAFANA_DATABASE": "canhdich"}


def copied_files(folder: Path) -> Path:
    """The repository's files, with the password in a file of this test's."""
    password = folder / "password"
    password.write_text("s3cret\n")
    for path in PROVISIONING.rglob("*.yaml"):
        copied = folder / "provisioning" / path.relative_to(PROVISIONING)
        copied.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8")
        copied.write_text(
            text.replace("/run/secrets/canhdich_grafana_database_password", str(password)), "utf-8"
        )
    return folder / "provisioning"


@pytest.fixture
def provisioning(tmp_path: Path) -> Path:
    return copied_files(tmp_path)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> Wanted:
    """What the repository's files say, with one board in each language."""
    provisioning = copied_files(tmp_path_factory.mktemp("files"))
    everything = read_wanted(provisioning=provisioning, environment=ENVIRONMENT)
    kept = {"overview-vi", "overview-en"}
    return replace(
        everything,
        boards=tuple(pair for pair in everything.boards if pair[1]["uid"] in kept),
        annotations=tuple(mark for mark in everything.annotations if mark.board_uid in kept),
    )


@pytest.fixture
def grafana() -> FakeGrafana:
    return FakeGrafana()


@pytest.fixture
def server(grafana: FakeGrafana) -> Iterator[Server]:
    with serving(grafana) as url:
        server = Server(url, grafana.token)
        yield server
        server.close()


def push(server: Server, wanted: Wanted, **options: bool) -> list[tuple[str, str, str]]:
    done = []
    for change in changes(server, wanted, **options):
        change.apply()
        done.append((change.action, change.kind, change.name))
    return done


def test_everything_is_brought_once(server: Server, grafana: FakeGrafana, wanted: Wanted) -> None:
    done = push(server, wanted)

    assert {action for action, *_ in done} == {"create"}
    assert set(grafana.folders) == {"canhdich-vi", "canhdich-en", "canh-bao-dich", "van-hanh"}
    assert set(grafana.boards) == {board["uid"] for _, board in wanted.boards} != set()
    assert {(g.folder_uid, g.name) for g in wanted.groups} == set(grafana.groups)
    source = grafana.sources["surveillance"]
    assert source["url"] == "timescaledb:5432"
    assert source["jsonData"]["database"] == "canhdich"
    assert source["secureJsonData"] == {"password": "s3cret"}
    assert len(grafana.annotations) == 2 * len(wanted.boards)
    before = list(grafana.requests)

    assert push(server, wanted) == []
    assert grafana.requests == before


def _another_title(grafana: FakeGrafana) -> None:
    grafana.folders["canhdich-vi"]["title"] = "Khác"


def _edited_board(grafana: FakeGrafana) -> None:
    grafana.boards["overview-vi"]["dashboard"]["panels"][0]["title"] = "Sửa tay"


def _moved_board(grafana: FakeGrafana) -> None:
    grafana.boards["overview-vi"]["meta"]["folderUid"] = "canhdich-en"


def _deleted_board(grafana: FakeGrafana) -> None:
    del grafana.boards["overview-en"]


def _quieter_rule(grafana: FakeGrafana) -> None:
    grafana.groups["van-hanh", "system"]["rules"][0]["isPaused"] = True


def _one_rule_more(grafana: FakeGrafana) -> None:
    rules = grafana.groups["van-hanh", "system"]["rules"]
    rules.append({**copy.deepcopy(rules[0]), "uid": "other"})


def _other_database(grafana: FakeGrafana) -> None:
    grafana.sources["surveillance"]["jsonData"]["timescaledb"] = False


def _no_password(grafana: FakeGrafana) -> None:
    grafana.sources["surveillance"]["secureJsonData"] = {}


def _other_mark(grafana: FakeGrafana) -> None:
    grafana.annotations[1]["text"] = "Sửa tay"


@pytest.mark.parametrize(
    ("change", "kind", "name", "line"),
    [
        (_another_title, "folder", "canhdich-vi", '-"title": "Khác"'),
        (_edited_board, "board", "overview-vi", "Sửa tay"),
        (_moved_board, "board", "overview-vi", '-"folderUid": "canhdich-en"'),
        (_deleted_board, "board", "overview-en", "+"),
        (_quieter_rule, "rules", "van-hanh/system", '-"isPaused": true'),
        (_one_rule_more, "rules", "van-hanh/system", '-"runbook": "docs/runbook/drift.md"'),
        (_other_database, "datasource", "surveillance", '-"timescaledb": false'),
        (_no_password, "datasource", "surveillance", '-"secrets": "missing"'),
        (_other_mark, "annotation", "canhdich:", "Sửa tay"),
    ],
)
def test_what_somebody_changed_is_seen_and_made_good(
    server: Server,
    grafana: FakeGrafana,
    wanted: Wanted,
    change: Callable[[FakeGrafana], None],
    kind: str,
    name: str,
    line: str,
) -> None:
    push(server, wanted)
    change(grafana)

    (found,) = changes(server, wanted)

    assert (found.kind, name in found.name) == (kind, True)
    assert line.replace(" ", "") in "\n".join(found.diff).replace(" ", "")
    assert "s3cret" not in "\n".join(found.diff)
    found.apply()
    assert push(server, wanted) == []


def test_a_new_password_is_written_when_asked_for(
    server: Server, grafana: FakeGrafana, wanted: Wanted, provisioning: Path
) -> None:
    push(server, wanted)
    (provisioning.parent / "password").write_text("another")
    other = read_wanted(provisioning=provisioning, environment=ENVIRONMENT)
    changed = replace(wanted, secrets=other.secrets)

    assert push(server, changed) == []
    assert push(server, changed, with_secrets=True) == [("update", "datasource", "surveillance")]
    assert grafana.sources["surveillance"]["secureJsonData"] == {"password": "another"}


def test_all_that_is_missing_is_named(provisioning: Path) -> None:
    (provisioning.parent / "password").write_text("")
    with pytest.raises(ConfigurationError, match=rf"the variable {ADDRESS}, .*the file .*password"):
        read_wanted(provisioning=provisioning, environment={"CANHDICH_GRAFANA_DATABASE": "canhdich"})


def test_every_board_of_the_repository_is_wanted(provisioning: Path) -> None:
    found = read_wanted(provisioning=provisioning, environment=ENVIRONMENT)
    assert len(found.boards) == len(list(BOARDS.glob("*/*.json")))
    assert {folder for folder, _ in found.boards} == {"canhdich-vi", "canhdich-en"}
    assert {mark.board_uid for mark in found.annotations} == {board["uid"] for _, board in found.boards}


def test_no_boards_are_an_error(provisioning: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no boards"):
        read_wanted(boards=tmp_path, provisioning=provisioning, environment=ENVIRONMENT)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, ConfigurationError, "does not know the token"),
        (403, ConfigurationError, "role Admin"),
        (400, RefusedAction, "Grafana refuses folder canhdich-vi: failing on purpose"),
        (500, DependencyDown, "Grafana fails over folder canhdich-vi"),
        (503, DependencyDown, "Grafana fails over"),
    ],
)
def test_refusals_say_what_to_do(
    server: Server, grafana: FakeGrafana, wanted: Wanted, status: int, error: type[Exception], words: str
) -> None:
    grafana.failing = status
    with pytest.raises(error, match=words):
        push(server, wanted)


def test_a_provisioned_source_is_left_to_its_file(
    server: Server, grafana: FakeGrafana, wanted: Wanted
) -> None:
    push(server, wanted)
    _other_database(grafana)
    grafana.provisioned = True
    with pytest.raises(ConfigurationError, match="provisioned from files"):
        push(server, wanted)


def test_nobody_at_the_address(wanted: Wanted, grafana: FakeGrafana) -> None:
    with serving(grafana) as url:
        server = Server(url, grafana.token)
    with pytest.raises(DependencyDown, match="does not answer"):
        push(server, wanted)
    server.close()


# --- The command ------------------------------------------------------------------------------------------


@pytest.fixture
def command(
    grafana: FakeGrafana, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Result]]:
    with serving(grafana) as url:
        configured = Settings(
            KAFKA_BOOTSTRAP="127.0.0.1:1",
            DATABASE_URL=SecretStr("postgresql://x"),
            grafana_url=url,
            grafana_token=SecretStr(grafana.token),
        )
        monkeypatch.setattr(dashboards_command, "settings", lambda: configured)
        monkeypatch.setattr("services.grafana.wanted.read_wanted", lambda: wanted)
        yield lambda *words: CliRunner().invoke(app, ["dashboards", *words])


def test_the_commands_exit_codes(command: Callable[..., Result], grafana: FakeGrafana) -> None:
    assert command("check").exit_code == 1
    dry = command("push", "--dry-run", "--json")
    assert (dry.exit_code, grafana.requests) == (0, [])
    assert {change["action"] for change in json.loads(dry.stdout)["changes"]} == {"create"}

    pushed = command("push")
    assert pushed.exit_code == 0
    assert "create board overview-vi" in pushed.stdout
    assert "Nothing to do" in command("push").stdout
    checked = command("check", "--json")
    assert (checked.exit_code, json.loads(checked.stdout)) == (0, {"ok": True, "changes": []})

    grafana.failing = 502
    assert command("check").exit_code == 3


def test_without_an_address_the_command_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = Settings(KAFKA_BOOTSTRAP="127.0.0.1:1", DATABASE_URL=SecretStr("postgresql://x"))
    monkeypatch.setattr(dashboards_command, "settings", lambda: configured)

    done = CliRunner().invoke(app, ["dashboards", "check"])

    assert done.exit_code == 2
    assert "CANHDICH_GRAFANA_URL" in done.output


# --- The fake refuses what Grafana would ------------------------------------------------------------------

RULE: dict[str, Any] = {
    "uid": "r",
    "orgID": 1,
    "folderUID": "f",
    "ruleGroup": "g",
    "title": "r",
    "condition": "A",
    "for": "0s",
    "noDataState": "OK",
    "execErrState": "Error",
    "data": [{"refId": "A", "datasourceUid": "__expr__", "model": {}}],
}
GROUP = "/api/v1/provisioning/folder/f/rule-groups/g"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/folders", {"title": "", "uid": "f2"}),
        ("POST", "/api/folders", {"title": "f", "uid": "có dấu"}),
        ("POST", "/api/folders", {"title": "f", "uid": "f"}),
        ("PUT", "/api/folders/f", {"title": "g"}),
        ("POST", "/api/dashboards/db", {"dashbord": {}}),
        (
            "POST",
            "/api/dashboards/db",
            {"dashboard": {"title": "", "uid": "u", "panels": []}, "folderUid": "f"},
        ),
        (
            "POST",
            "/api/dashboards/db",
            {"dashboard": {"title": "t", "uid": "u", "panels": []}, "folderUid": "x"},
        ),
        (
            "POST",
            "/api/dashboards/db",
            {"dashboard": {"title": "t", "uid": "u", "panels": [{"id": 1}, {"id": 1}]}, "folderUid": "f"},
        ),
        (
            "POST",
            "/api/datasources",
            {"name": "s", "type": "t", "access": "proxy", "uid": "u", "jsonData": {}},
        ),
        (
            "POST",
            "/api/datasources",
            {"name": "s", "type": "t", "access": "proxy", "uid": "u", "editable": False},
        ),
        ("PUT", "/api/datasources/uid/none", {"name": "s", "type": "t", "access": "x", "jsonData": {}}),
        ("PUT", GROUP, {"title": "g", "interval": 61, "rules": []}),
        ("PUT", GROUP, {"title": "g", "interval": 60, "rules": [{**RULE, "noDataState": "Nothing"}]}),
        ("PUT", GROUP, {"title": "g", "interval": 60, "rules": [{**RULE, "execErrState": "Fine"}]}),
        ("PUT", GROUP, {"title": "g", "interval": 60, "rules": [{**RULE, "keepFiringFor": "1m"}]}),
        ("PUT", GROUP, {"title": "g", "interval": 60, "rules": [{**RULE, "condition": "B"}]}),
        ("PUT", GROUP, {"title": "g", "interval": 60, "rules": [{**RULE, "labels": {"n": 1}}]}),
        ("PUT", GROUP, {"title": "g", "interval": 60, "rules": [{k: RULE[k] for k in ("uid", "title")}]}),
        (
            "PUT",
            GROUP,
            {
                "title": "g",
                "interval": 60,
                "rules": [{**RULE, "data": [{"refId": "A", "datasourceUid": "nowhere", "model": {}}]}],
            },
        ),
        ("PUT", GROUP.replace("/f/", "/x/"), {"title": "g", "interval": 60, "rules": []}),
        ("POST", "/api/annotations", {"text": "x", "time": 1, "dashboardUID": "none"}),
        ("GET", "/api/annotations?dashboardUid=x", None),
        ("GET", "/api/nothing", None),
    ],
)
def test_the_fake_refuses_what_grafana_would(method: str, path: str, body: Any) -> None:
    grafana = FakeGrafana()
    bearer = f"Bearer {grafana.token}"
    grafana.answer("POST", "/api/folders", bearer, {"title": "f", "uid": "f"})
    grafana.answer("PUT", GROUP, bearer, {"title": "g", "interval": 60, "rules": [RULE]})
    with pytest.raises(Refusal):
        grafana.answer(method, path, bearer, body)
    with pytest.raises(Refusal, match="Unauthorized"):
        grafana.answer(method, path, "Bearer other", body)
