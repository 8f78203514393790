"""`canhdich people` and `canhdich keys`: what is typed, what is printed once, and how a fault is said."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from services.cli import keys_command, people_command
from services.cli.main import app
from services.intake.people import accounts
from services.intake.people.person import Role
from tests.people_fakes import FakePeople, make_person


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakePeople:
    """The store that the commands use."""
    made = FakePeople()

    @contextmanager
    def people_store() -> Iterator[FakePeople]:
        yield made

    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(accounts, "hasher", lambda: quick)
    for module in (people_command, keys_command):
        monkeypatch.setattr(module, "people_store", people_store)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def document(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_account_is_made_disabled_enabled_and_reset(store: FakePeople) -> None:
    made = document(
        "people", "add", "Tram.PT", "--role", "reporter", "--facility", "LC-TYT-03549", "--area", "03549,109"
    )
    assert made["username"] == "tram.pt"
    account = store.account_of_name("tram.pt")
    assert account is not None
    assert accounts.verify(account.password_hash, made["one_time_password"])
    assert account.person.area_codes == ("03549", "109")
    assert document("people", "disable", "tram.pt")["is_disabled"]
    assert not document("people", "enable", "tram.pt")["is_disabled"]
    assert document("people", "reset", "tram.pt")["one_time_password"] != made["one_time_password"]
    (row,) = document("people", "list")
    assert (row["role"], row["facility"], row["must_change_password"]) == ("reporter", "LC-TYT-03549", True)
    assert "hash" not in json.dumps(row)
    done = [act["action"] for act in document("people", "trail")]
    assert done == ["password-reset", "person-enabled", "person-disabled", "person-added"]
    assert document("people", "trail")[0]["address"].startswith("command line, ")


def test_people_read_it_in_words(store: FakePeople) -> None:
    store.add(make_person(Role.EPIDEMIOLOGIST, "bs.lan"))
    printed = run("people", "add", "quan-tri", "--role", "administrator").stdout
    assert "Mật khẩu dùng một lần / one-time password:" in printed
    listed = run("people", "list").stdout
    assert "bs.lan" in listed
    assert "toàn tỉnh" in listed
    assert "person-added" in run("people", "trail").stdout
    assert run("people", "disable", "bs.lan").stdout == "bs.lan: đã khoá / disabled\n"
    assert "cd_" in run("keys", "add", "robot", "--role", "department").stdout
    assert "robot" in run("keys", "list").stdout
    assert run("keys", "revoke", "robot").stdout == "robot: đã thu hồi / revoked\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("people", "add", "a", "--role", "king"), 2),
        (("people", "add", "a", "--role", "reporter"), 1),
        (("people", "add", "a", "--role", "department", "--area", "99999"), 1),
        (("people", "add", "a", "--role", "department", "--language", "fr"), 2),
        (("people", "add", "quan-tri", "--role", "department"), 1),
        (("people", "disable", "nobody"), 1),
        (("people", "disable", "quan-tri"), 1),
        (("people", "reset", "nobody"), 1),
        (("keys", "add", "k", "--role", "department", "--days", "0"), 1),
        (("keys", "add", "k", "--role", "department", "--endpoint", "nothing"), 1),
        (("keys", "add", "k", "--role", "department", "--key-file", "/nowhere/key"), 2),
        (("keys", "revoke", "nothing"), 1),
    ],
)
def test_a_fault_is_said_in_a_sentence(store: FakePeople, arguments: tuple[str, ...], code: int) -> None:
    store.add(make_person(Role.ADMINISTRATOR, "quan-tri"))
    result = run(*arguments)
    assert result.exit_code == code
    assert result.stderr.strip()
    assert "Traceback" not in result.output
    assert len(store.accounts()) == 1


def test_a_key_of_a_file_is_taken_once_and_not_printed(store: FakePeople, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("cd_" + "0123456789abcdef" * 3 + "\n")
    arguments = ("keys", "add", "monitor", "--role", "epidemiologist", "--endpoint", "post_events")
    first = document(*arguments, "--key-file", str(file))
    assert first["key"] is None
    assert document(*arguments, "--key-file", str(file)) == first
    (key,) = document("keys", "list")
    assert (key["name"], key["endpoints"]) == ("monitor", ["post_events"])
    assert document("keys", "revoke", "monitor")["name"] == "monitor"
    assert run(*arguments, "--key-file", str(file)).exit_code == 1
