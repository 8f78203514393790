"""`canhdich recipients`: who is told of alerts, and what became of each message."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from services.cli.connection import connected
from services.cli.output import JsonOption, exits, out, print_json
from services.notify.recipients_file import read_recipients
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.stores.deliveries import (
    active_recipients,
    area_ids,
    disease_codes,
    load_recipients,
    read_deliveries,
)

recipients = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(recipients, name="recipients", help="Who is told of alerts.")


@recipients.command(
    "load", help="Tell the people of a file (docs/examples/recipients.yaml), and nobody else."
)
@exits
def load(
    file: Annotated[Path, typer.Argument(help="YAML; it replaces the list before.")],
    json_output: JsonOption = False,
) -> None:
    """Check a file and put it in force."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    with connected() as connection:
        today = datetime.now(LOCAL_ZONE).date()
        read = read_recipients(
            text, str(file), disease_codes(connection), lambda code: area_ids(connection, code, today)
        )
        retired = load_recipients(connection, read, getpass.getuser())
    if json_output:
        print_json({"recipients": [recipient.id for recipient in read], "retired": retired})
        return
    out.print(f"{len(read)} người nhận / recipients.")
    if retired:
        out.print(f"Không báo nữa / told no longer: {', '.join(retired)}")


@recipients.command("list", help="Who is told of what.")
@exits
def list_(json_output: JsonOption = False) -> None:
    """Print the recipients in force; secret addresses are only named."""
    with connected() as connection:
        found = active_recipients(connection)
    if json_output:
        print_json([recipient.document() for recipient in found])
        return
    table = Table()
    for title in ("id", "Ai", "Kênh", "Địa chỉ", "Từ mức", "Nơi", "Bệnh", "Giờ yên lặng", "Bản tin"):
        table.add_column(title, overflow="fold")
    for recipient in found:
        shown = recipient.document()
        quiet = "" if shown["quiet_from"] is None else f"{shown['quiet_from']}–{shown['quiet_to']}"
        table.add_row(
            recipient.id,
            recipient.name,
            recipient.channel,
            recipient.address,
            recipient.least_level.value,
            "tất cả" if shown["area_ids"] is None else ", ".join(shown["area_ids"]),
            "tất cả" if shown["diseases"] is None else ", ".join(shown["diseases"]),
            quiet,
            shown["digest_at"] or "",
        )
    out.print(table)


@recipients.command("deliveries", help="What was sent, and what waits and why.")
@exits
def deliveries(
    is_waiting: Annotated[bool, typer.Option("--waiting", help="Only what is not sent yet.")] = False,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    json_output: JsonOption = False,
) -> None:
    """Print deliveries, the newest first."""
    with connected() as connection:
        rows = read_deliveries(connection, is_waiting=is_waiting, most=most)
    if json_output:
        print_json(rows)
        return
    table = Table()
    for title in ("Lúc", "Người nhận", "Mức", "Loại", "Đã gửi", "Lần thử", "Lỗi gần nhất"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            _local(row["planned_at"]),
            row["recipient_id"],
            row["level"],
            row["kind"],
            "bỏ"
            if row["dropped_at"] is not None
            else _local(row["sent_at"]) or f"chờ {_local(row['due_at'])}",
            str(row["attempts"]),
            row["last_error"] or "",
        )
    out.print(table)


def _local(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).astimezone(LOCAL_ZONE).strftime("%d/%m %H:%M:%S")
