"""`canhdich alerts`: the inbox, and what people do to an alert."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from psycopg import Connection
from psycopg.rows import TupleRow
from rich.table import Table

from services.cli.output import JsonOption, exits, out, print_json
from services.settings import settings
from streams.domain.alerts import Action, Alert, AlertEvent, Life
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.stores import database
from streams.stores.alerts import PostgresAlerts, read_alert, read_alerts, read_precision
from streams.stores.deliveries import plan_deliveries

alerts = typer.Typer(invoke_without_command=True, no_args_is_help=False)

_LEVELS = {"outbreak": "CÓ DỊCH", "above_band": "trên ngưỡng", "alert": "cảnh báo", "attention": "chú ý"}
_STATES = {
    "raised": "mới",
    "acknowledged": "đã nhận",
    "verified": "đã xác minh",
    "dismissed": "bác bỏ",
    "closed": "đã đóng",
}

_Id = Annotated[str, typer.Argument(metavar="ID", help="The alert's id, or its first characters.")]
_Note = Annotated[str | None, typer.Option("--note", help="Why; kept in the alert's history.")]
_By = Annotated[str | None, typer.Option("--by", help="Who; by default the account of this machine.")]
_At = Annotated[
    str | None,
    typer.Option("--at", help="When the station determined it (ISO; local time without an offset)."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(alerts, name="alerts", help="Alert inbox and life.")


@alerts.callback()
def inbox(
    context: typer.Context,
    is_open: Annotated[bool, typer.Option("--open", help="Only those that wait for somebody.")] = False,
    disease: Annotated[str | None, typer.Option(help="Disease code, e.g. dengue.")] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 500,
    json_output: JsonOption = False,
) -> None:
    """Alerts, those that wait and the loudest first."""
    if context.invoked_subcommand is None:
        _list(is_open, disease, most, json_output)


@exits
def _list(is_open: bool, disease: str | None, most: int, json_output: bool) -> None:
    with _connected() as connection:
        rows = read_alerts(connection, is_open=is_open, disease=disease, most=most)
    if json_output:
        print_json([_row_document(row) for row in rows])
        return
    if not rows:
        out.print("Không có cảnh báo nào. / No alerts.")
        return
    table = Table()
    for title in ("ID", "Mức", "Trạng thái", "Bệnh", "Nơi", "Ca", "Từ lúc", "Quy định", "Vì sao"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            str(row["alert_id"])[:8],
            _LEVELS.get(row["level"], row["level"]),
            _STATES[row["state"]] + ("" if row["is_met"] else "\n(không còn đạt)"),
            row["disease_name"],
            row["area_name"],
            str(row["cases"]),
            _local(row["raised_at"]),
            row["rule_id"],
            row["verdict"]["why_vi"],
        )
    out.print(table)


def _row_document(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name != "verdict"}
    verdict = row["verdict"]
    return shown | {
        "numbers": verdict["numbers"],
        "why_vi": verdict["why_vi"],
        "why_en": verdict["why_en"],
        "rule_version": verdict["rule_version"],
        "is_late": verdict["is_late"],
        "is_reconstructed": verdict["is_reconstructed"],
    }


@alerts.command("show", help="One alert with its whole history.")
@exits
def show(alert_id: _Id, json_output: JsonOption = False) -> None:
    """Print an alert and every step of its life."""
    with _connected() as connection:
        alert, events = read_alert(connection, _whole_id(connection, alert_id))
    if json_output:
        print_json(_document(alert) | {"events": [_event_document(event) for event in events]})
        return
    _print(alert)
    table = Table(title="Lịch sử / History")
    for title in ("Lúc", "Ai", "Việc gì", "Ghi chú"):
        table.add_column(title, overflow="fold")
    for event in events:
        said = event.note or (event.verdict["why_vi"] if event.verdict is not None else "")
        table.add_row(_local(event.at), event.actor, event.kind.value, said)
    out.print(table)


@alerts.command("ack", help="Say that you have seen it and see to it.")
@exits
def ack(alert_id: _Id, note: _Note = None, by: _By = None, json_output: JsonOption = False) -> None:
    """Acknowledge."""
    _act("acknowledge", alert_id, note, by, None, json_output)


@alerts.command("verify", help="Say that it is real.")
@exits
def verify(alert_id: _Id, note: _Note = None, by: _By = None, json_output: JsonOption = False) -> None:
    """Verify."""
    _act("verify", alert_id, note, by, None, json_output)


@alerts.command("dismiss", help="Say that it is not real, and why.")
@exits
def dismiss(alert_id: _Id, note: _Note = None, by: _By = None, json_output: JsonOption = False) -> None:
    """Dismiss; wants a note."""
    _act("dismiss", alert_id, note, by, None, json_output)


@alerts.command("close", help="Say that it is dealt with, and how.")
@exits
def close(alert_id: _Id, note: _Note = None, by: _By = None, json_output: JsonOption = False) -> None:
    """Close; wants a note."""
    _act("close", alert_id, note, by, None, json_output)


@alerts.command("reopen", help="Open a closed or dismissed alert again, and say why.")
@exits
def reopen(alert_id: _Id, note: _Note = None, by: _By = None, json_output: JsonOption = False) -> None:
    """Reopen; wants a note."""
    _act("reopen", alert_id, note, by, None, json_output)


@alerts.command("note", help="Write something into its history.")
@exits
def note_(alert_id: _Id, note: _Note = None, by: _By = None, json_output: JsonOption = False) -> None:
    """Note; changes nothing else."""
    _act("note", alert_id, note, by, None, json_output)


@alerts.command("determine", help="The station has determined 'có dịch': its 24 hours for the notice run.")
@exits
def determine(
    alert_id: _Id, at: _At = None, note: _Note = None, by: _By = None, json_output: JsonOption = False
) -> None:
    """Record the determination and declare the outbreak."""
    _act("determine", alert_id, note, by, at, json_output)


@alerts.command("end", help="The station has determined 'hết dịch'.")
@exits
def end(
    alert_id: _Id, at: _At = None, note: _Note = None, by: _By = None, json_output: JsonOption = False
) -> None:
    """Record the end of the outbreak."""
    _act("end", alert_id, note, by, at, json_output)


@alerts.command("precision", help="How often each rule was right, by what people said of its alerts.")
@exits
def precision(json_output: JsonOption = False) -> None:
    """Print verified / (verified + dismissed) per rule."""
    with _connected() as connection:
        rows = read_precision(connection)
    if json_output:
        print_json(
            [
                {
                    "rule": row.rule_id,
                    "verified": row.verified,
                    "dismissed": row.dismissed,
                    "open": row.open,
                    "precision": row.share,
                }
                for row in rows
            ]
        )
        return
    table = Table()
    for title in ("Quy định", "Đúng", "Bác bỏ", "Chưa xét", "Tỷ lệ đúng"):
        table.add_column(title)
    for row in rows:
        share = "" if row.share is None else f"{row.share:.0%}"
        table.add_row(row.rule_id, str(row.verified), str(row.dismissed), str(row.open), share)
    out.print(table)


@contextmanager
def _connected() -> Iterator[Connection[TupleRow]]:
    with (
        database.errors_translated(),
        database.connect(settings().database_url.get_secret_value()) as connection,
    ):
        yield connection


def _whole_id(connection: Connection[TupleRow], text: str) -> UUID:
    """The id that begins with what was typed."""
    try:
        return UUID(text)
    except ValueError:
        pass
    found = [
        row["alert_id"]
        for row in read_alerts(connection, is_open=False, most=10_000)
        if text and str(row["alert_id"]).startswith(text.lower())
    ]
    if len(found) == 1:
        return UUID(str(found[0]))
    raise ConfigurationError(
        f"{text}: {'several alerts begin' if found else 'no alert begins'} so; `canhdich alerts` lists them."
    )


def _act(
    action: Action, alert_id: str, note: str | None, by: str | None, at: str | None, json_output: bool
) -> None:
    with _connected() as connection:
        whole = _whole_id(connection, alert_id)
    store = PostgresAlerts(settings().database_url.get_secret_value(), Life(), plan_deliveries)
    try:
        alert = store.act(whole, action, by or getpass.getuser(), datetime.now(UTC), note, _instant(at))
    finally:
        store.close()
    if json_output:
        print_json(_document(alert))
    else:
        _print(alert)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"--at {text}: an instant is written like 2026-08-04T08:00:00+07:00."
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=LOCAL_ZONE)


def _print(alert: Alert) -> None:
    out.print(
        f"{alert.alert_id}: {_LEVELS.get(alert.level, alert.level)}, {_STATES[alert.state]}; "
        f"{alert.rule_id}, {alert.disease}, {alert.area_id}",
        markup=False,
        highlight=False,
    )
    out.print(alert.verdict["why_vi"], markup=False, highlight=False)
    if alert.notice_due_at is not None and alert.ended_at is None:
        out.print(
            f"Trạm Y tế xác định lúc {_local(alert.determined_at)}: thông báo trước "
            f"{_local(alert.notice_due_at)} (TT 15/2026, Điều 26.1b). / "
            "The notice is due 24 h after the station's determination."
        )


def _document(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "rule_id": alert.rule_id,
        "disease": alert.disease,
        "area_id": alert.area_id,
        "state": alert.state.value,
        "level": alert.level.value,
        "is_met": alert.is_met,
        "cases": alert.cases,
        "raised_at": alert.raised_at,
        "changed_at": alert.changed_at,
        "settled_at": alert.settled_at,
        "determined_at": alert.determined_at,
        "notice_due_at": alert.notice_due_at,
        "ended_at": alert.ended_at,
        "verdict": alert.verdict,
    }


def _event_document(event: AlertEvent) -> dict[str, Any]:
    return {
        "number": event.number,
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind.value,
        "note": event.note,
        "verdict": event.verdict,
        "data": dict(event.data),
    }


def _local(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(LOCAL_ZONE).strftime("%d/%m/%Y %H:%M")
