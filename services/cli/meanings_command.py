"""`canhdich meanings`: what doubtful names of diseases and places in imported files mean, decided once."""

import getpass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from schemas.catalogue import load_catalogue
from services.cli.connection import connected
from services.cli.output import JsonOption, exits, out, print_json
from services.importing.meanings import decide_meaning
from streams.stores.meanings import Meaning, list_meanings

meanings = typer.Typer(no_args_is_help=True)


class Field(StrEnum):
    """What a text may name."""

    DISEASE = "disease"
    AREA = "area_code"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(meanings, name="meanings", help="What doubtful names in imported files mean.")


@meanings.command("list", help="Texts that imports could not place, with what they may mean.")
@exits
def show(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that nobody has decided.")] = False,
    json_output: JsonOption = False,
) -> None:
    """List them, those for which most rows wait first."""
    with connected() as connection:
        found = list_meanings(connection, only_open=only_open)
    if json_output:
        print_json(found)
        return
    grid = Table(title="Tên chưa chắc chắn trong các tệp đã nhập / doubtful names in imported files")
    for title in ("Trường", "Trong tệp", "Số dòng chờ", "Có thể là", "Đã chọn"):
        grid.add_column(title, overflow="fold")
    for meaning in found:
        grid.add_row(
            meaning.field,
            Text(meaning.text),
            str(meaning.waiting_rows),
            Text(_candidates(meaning)),
            Text(f"{meaning.code} ({meaning.decided_by})" if meaning.code else ""),
        )
    out.print(grid)


@meanings.command("set", help="Say what a text means; the next import of the file takes its rows.")
@exits
def set_meaning(
    field: Field,
    text: Annotated[str, typer.Argument(help='As listed, such as "Phường Đoàn Két, Tỉnh Lai Châu".')],
    code: Annotated[str, typer.Argument(help="Code of the disease or of the area.")],
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="A day on which the area's code means the area. [default: today]"
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Keep an answer."""
    now = datetime.now(UTC)
    day = on.date() if on else now.date()
    with connected() as connection:
        meant = decide_meaning(
            connection, load_catalogue(), field.value, text, code, day, by=getpass.getuser(), at=now
        )
    _say(field, text, meant, json_output)


@meanings.command("forget", help="Open a question again.")
@exits
def forget(field: Field, text: str, json_output: JsonOption = False) -> None:
    """Take an answer back; cases that were imported with it stay as they are."""
    now = datetime.now(UTC)
    with connected() as connection:
        decide_meaning(
            connection,
            load_catalogue(),
            field.value,
            text,
            None,
            now.date(),
            by=getpass.getuser(),
            at=now,
        )
    _say(field, text, None, json_output)


def _say(field: Field, text: str, meant: str | None, json_output: bool) -> None:
    if json_output:
        print_json({"field": field, "text": text, "code": meant})
    else:
        out.print(f"{text}: {meant or '?'}", markup=False, highlight=False)


def _candidates(meaning: Meaning) -> str:
    shown: list[Any] = [
        f"{code} {name}" + (f" (--on {on})" if on else "") for code, name, on in meaning.candidates
    ]
    return "; ".join(shown)
