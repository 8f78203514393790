"""`canhdich populations` on a real database: a file put in force, a wrong one refused, what follows shown."""

import json
from pathlib import Path

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.settings import Settings
from streams.stores.populations import current_load

pytestmark = pytest.mark.native

HEADER = "area_code,area_on,year,population,source\n"


@pytest.fixture(autouse=True)
def _configured(monkeypatch: pytest.MonkeyPatch, small_database_url: str) -> None:
    configured = Settings(database_url=SecretStr(small_database_url))
    monkeypatch.setattr("services.cli.connection.settings", lambda: configured)


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["populations", *arguments])


def file_of(folder: Path, rows: str) -> str:
    path = folder / "dan-so.csv"
    path.write_text(HEADER + rows, "utf-8")
    return str(path)


def test_a_file_is_put_in_force_and_shown(connection: Connection[TupleRow], tmp_path: Path) -> None:
    loaded = ask("load", file_of(tmp_path, "12,,2023,489180,census\n106,,2023,60000,census\n"), "--json")
    assert loaded.exit_code == 0, loaded.output
    assert json.loads(loaded.stdout) == {"load": 1, "rows": 2, "rejected": []}
    stated = json.loads(ask("show", "--json").stdout)
    assert {(row["area"], row["year"], row["population"]) for row in stated} == {
        ("12", 2023, 489_180),
        ("106", 2023, 60_000),
    }
    estimates = json.loads(ask("show", "--year", "2023", "--by", "district", "--json").stdout)
    by_area = {row["area"]: row["population"] for row in estimates}
    assert by_area["106"] == 60_000
    assert sum(by_area.values()) == 489_180, "the other districts share the rest"
    assert "489180" in ask("show").stdout.replace(".", "").replace(",", "")


def test_a_file_with_a_wrong_row_changes_nothing(connection: Connection[TupleRow], tmp_path: Path) -> None:
    refused = ask("load", file_of(tmp_path, "12,,2023,489180,census\n99,,2023,10,census\n"), "--json")
    assert refused.exit_code == 1
    document = json.loads(refused.stdout)
    assert (document["load"], document["rows"]) == (None, 0)
    (fault,) = document["rejected"]
    assert (fault["row"], fault["field"]) == (3, "area_code")
    assert current_load(connection) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "--by", "hamlet"), "--by hamlet: choose from"),
        (("show", "--year", "1066"), "--year 1066"),
        (("show", "--year", "2023", "--province", "99"), "--province 99"),
    ],
)
def test_a_question_that_means_nothing_is_a_usage_error(
    connection: Connection[TupleRow], arguments: tuple[str, ...], message: str
) -> None:
    result = ask(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
