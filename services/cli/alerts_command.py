"""`canhdich alerts`: the inbox, and what people do to an alert."""

import getpass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from psycopg import Connection
from psycopg.rows import TupleRow
from rich.table import Table

from services.alert_documents import check_note, detail, step, summary
from services.cli import options
from services.cli.connection import connected
from services.cli.output import JsonOption, exits, out, print_json
from services.settings import settings
from streams.domain.alerts import Action, Alert, Life
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.stores.alerts import (
    PostgresAlerts,
    alert_ids_beginning,
    read_alert,
    read_alerts,
    read_precision,
)
from streams.stores.deliveries import plan_deliveries, read_told

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
    with connected() as connection:
        rows = read_alerts(connection, is_open=is_open, disease=disease, most=most)
    if json_output:
        print_json([summary(row) for row in rows])
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


@alerts.command("show", help="One alert with its whole history.")
@exits
def show(alert_id: _Id, json_output: JsonOption = False) -> None:
    """Print an alert and every step of its life."""
    with connected() as connection:
        alert, events = read_alert(connection, whole_alert_id(connection, alert_id))
    if json_output:
        print_json({**detail(alert), "events": [step(event) for event in events]})
        return
    _print(alert)
    table = Table(title="Lịch sử / History")
    for title in ("Lúc", "Ai", "Việc gì", "Ghi chú"):
        table.add_column(title, overflow="fold")
    for event in events:
        said = event.note or (event.verdict["why_vi"] if event.verdict is not None else "")
        table.add_row(_local(event.at), event.actor, event.kind.value, said)
    out.print(table)


@alerts.command(
    "text", help="An alert as plain text, to be pasted into a chat: counts, never a case or a note."
)
@exits
def text(
    alert_id: _Id,
    language: Annotated[str, typer.Option(help="vi (the default) or en.")] = "vi",
    json_output: JsonOption = False,
) -> None:
    """Print what the button "copy text" of an alert's page copies."""
    # It brings the templates; the other commands need not wait for that.
    from services.notify.message import LANGUAGES, alert_text

    chosen = options.choice("--language", language, LANGUAGES)
    with connected() as connection:
        alert, _ = read_alert(connection, whole_alert_id(connection, alert_id))
        made = alert_text(read_told(connection, alert), chosen, settings().alert_link)
    if json_output:
        print_json({"alert_id": alert.alert_id, "language": chosen, "text": made})
    else:
        out.print(made, end="", markup=False, highlight=False, soft_wrap=True)


def _register_action(name: str, action: Action, summary: str, *, has_instant: bool = False) -> None:
    """A command that does one thing to one alert."""

    def act(alert_id: _Id, note: _Note = None, by: _By = None, json_output: JsonOption = False) -> None:
        _act(action, alert_id, note, by, None, json_output)

    def act_at(
        alert_id: _Id, at: _At = None, note: _Note = None, by: _By = None, json_output: JsonOption = False
    ) -> None:
        _act(action, alert_id, note, by, at, json_output)

    alerts.command(name, help=summary)(exits(act_at if has_instant else act))


_register_action("ack", "acknowledge", "Say that you have seen it and see to it.")
_register_action("verify", "verify", "Say that it is real.")
_register_action("dismiss", "dismiss", "Say that it is not real, and why.")
_register_action("close", "close", "Say that it is dealt with, and how.")
_register_action("reopen", "reopen", "Open a closed or dismissed alert again, and say why.")
_register_action("note", "note", "Write something into its history.")
_register_action(
    "determine",
    "determine",
    "The station has determined 'có dịch': its 24 hours for the notice run.",
    has_instant=True,
)
_register_action("end", "end", "The station has determined 'hết dịch'.", has_instant=True)


@alerts.command("precision", help="How often each rule was right, by what people said of its alerts.")
@exits
def precision(json_output: JsonOption = False) -> None:
    """Print verified / (verified + dismissed) per rule."""
    with connected() as connection:
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


def whole_alert_id(connection: Connection[TupleRow], text: str) -> UUID:
    """The id that begins with what was typed."""
    try:
        return UUID(text)
    except ValueError:
        pass
    found = alert_ids_beginning(connection, text)
    if len(found) == 1:
        return found[0]
    raise ConfigurationError(
        f"{text}: {'several alerts begin' if found else 'no alert begins'} so; `canhdich alerts` lists them."
    )


def _act(
    action: Action, alert_id: str, note: str | None, by: str | None, at: str | None, json_output: bool
) -> None:
    instant = options.instant("--at", at)
    check_note(note)
    with connected() as connection:
        whole = whole_alert_id(connection, alert_id)
    store = PostgresAlerts(settings().database_url.get_secret_value(), Life(), plan_deliveries)
    try:
        alert = store.act(whole, action, by or getpass.getuser(), datetime.now(UTC), note, instant)
    finally:
        store.close()
    if json_output:
        print_json(detail(alert))
    else:
        _print(alert)


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


def _local(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(LOCAL_ZONE).strftime("%d/%m/%Y %H:%M")
