"""`canhdich keys`: what lets programs in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from services.cli.options import today
from services.cli.output import JsonOption, exits, out, print_json
from services.cli.people_command import (
    AreaOption,
    FacilityOption,
    RoleOption,
    actor,
    local,
    people_store,
    wanted,
)
from services.intake.people import accounts
from services.intake.people.ports import ApiKey
from services.intake.people.unfit import Unfit
from streams.domain.errors import ConfigurationError

keys = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys", help="API keys of programs: add, list, revoke.")


@keys.command("add", help="Make a key and print it, once.")
@exits
def add(
    name: Annotated[str, typer.Argument(help="Which program, where; a-z 0-9 . _ -.")],
    role: RoleOption,
    facility: FacilityOption = None,
    area: AreaOption = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(help="Only for this endpoint, e.g. post_events; repeat it. None: all of the role's."),
    ] = None,
    days: Annotated[int, typer.Option(help="How long it lasts.")] = 365,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="Take the key from this file, where an installation makes its secrets beforehand (at least "
            "40 random characters); a key that is in force already stays as it is."
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Make a key."""
    try:
        text = None if key_file is None else key_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{key_file} cannot be read: {error}") from error
    with people_store() as store:
        key, text_of_key = accounts.add_key(
            store,
            actor(),
            name,
            wanted(role, facility, area),
            endpoint,
            days,
            datetime.now(UTC),
            today().isoformat(),
            text,
        )
    shown = None if key_file else text_of_key
    if json_output:
        print_json({**_document(key), "key": shown})
        return
    out.print(f"Khoá / key {key.name}, đến / until {local(key.expires_at)}", highlight=False)
    if shown is not None:
        out.print(
            f"{shown}\nChỉ hiện một lần này. Shown only now. Send it as: Authorization: Bearer <key>",
            markup=False,
            highlight=False,
        )


@keys.command("list", help="Every key with its rights; never the keys themselves.")
@exits
def list_(json_output: JsonOption = False) -> None:
    """Print the keys, the newest first."""
    with people_store() as store:
        found = store.api_keys()
    if json_output:
        print_json([_document(key) for key in found])
        return
    table = Table()
    for title in (
        "Tên",
        "Vai trò",
        "Đơn vị",
        "Địa bàn",
        "Chỉ dùng cho",
        "Hết hạn",
        "Thu hồi",
        "Lần cuối dùng",
    ):
        table.add_column(title, overflow="fold")
    for key in found:
        table.add_row(
            key.name,
            key.role.value,
            key.facility or "",
            ", ".join(key.area_codes) or "toàn tỉnh",
            ", ".join(key.endpoints or ("/v1",)),
            local(key.expires_at),
            local(key.revoked_at),
            local(key.last_used_at),
        )
    out.print(table)


@keys.command("revoke", help="Refuse a key from now on.")
@exits
def revoke(
    name: Annotated[str, typer.Argument(help="The name of a key in force.")], json_output: JsonOption = False
) -> None:
    """Revoke a key."""
    now = datetime.now(UTC)
    with people_store() as store:
        wanted_name = accounts.normal_username(name)
        key = next((k for k in store.api_keys() if k.name == wanted_name and k.revoked_at is None), None)
        if key is None:
            raise Unfit("people.key_unknown")
        accounts.revoke_key(store, actor(), key.id, now)
    if json_output:
        print_json({"name": key.name, "revoked_at": now})
        return
    out.print(f"{key.name}: đã thu hồi / revoked")


def _document(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "facility": key.facility,
        "area_codes": list(key.area_codes),
        "endpoints": None if key.endpoints is None else list(key.endpoints),
        "expires_at": key.expires_at,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
