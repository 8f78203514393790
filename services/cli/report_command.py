"""`canhdich report`: the situation report, what was published, and what has changed since."""

import sys
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict
from uuid import UUID

import typer
from psycopg import Connection
from psycopg.rows import TupleRow
from rich.table import Table

from schemas.report import load_notices
from services.cli import options
from services.cli.connection import connected
from services.cli.output import JsonOption, err, exits, out, print_json
from services.report.document import Document
from services.report.markdown import markdown
from services.report.stamp import stamp_of
from services.report.writing import (
    BASES,
    FORMATS,
    Basis,
    Format,
    focus_report,
    outbreak_report,
    prepare,
    printed,
    situation_report,
    situation_request,
    weekly_bulletin,
)
from services.settings import settings
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.domain.report.language import LANGS, Lang
from streams.domain.report.notice import write_notice

if TYPE_CHECKING:
    from streams.stores.snapshots import Snapshot

report = typer.Typer(no_args_is_help=True)

_Province = Annotated[str, typer.Option(help="Province code, e.g. 12.")]
_From = Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")]
_To = Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")]
_Lang = Annotated[str, typer.Option("--lang", help=f"Language: {' or '.join(LANGS)}.")]
_Format = Annotated[
    str | None,
    typer.Option("--format", help=f"{', '.join(FORMATS)}; by default that of --out, else md."),
]
_Out = Annotated[
    Path | None, typer.Option("--out", help="File to write; a DOCX needs one. Default: standard output.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(report, name="report", help="The situation report and what was published.")


@report.command("situation", help="Write the situation report of a province and a period.")
@exits
def situation(
    province: Annotated[str | None, typer.Option(help="Province code, e.g. 12.")] = None,
    first: options.FromOption = None,
    last: options.ToOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="What was known at this instant (ISO; local time without an offset).")
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option(metavar="ID", help="Print a published report again, to the letter.")
    ] = None,
    lang: _Lang = "vi",
    basis: options.BasisOption = None,
    geography: options.GeographyOption = None,
    form: _Format = None,
    out_file: _Out = None,
    json_output: JsonOption = False,
) -> None:
    """Write the report, or print a published one again."""
    chosen = _form(form, out_file, json_output)
    prepare(chosen)
    with connected() as connection:
        if snapshot is not None:
            if any(option is not None for option in (province, first, last, as_of, basis, geography)):
                raise ConfigurationError("--snapshot goes with no other question: it is what it was.")
            # As in publish.
            from services.report.publishing import document_of
            from streams.stores.snapshots import read_snapshot

            kept = read_snapshot(connection, _uuid(snapshot))
            document = document_of(kept)
            err.print(_published_text(kept), markup=False, highlight=False)
        else:
            document = situation_report(
                connection,
                settings(),
                **_asked(province, first, last, basis, geography),
                as_of=options.instant("--as-of", as_of),
                lang=_language(lang),
                form=chosen,
            )
            if document["provisional"]:
                err.print("Số liệu tạm tính. / Provisional: events of before may still come.")
    _write(document, chosen, out_file)


@report.command("bulletin", help="Write the bulletin of a week: its cases and the year so far.")
@exits
def bulletin(
    province: _Province,
    week: Annotated[str, typer.Option(help="ISO week, e.g. 2023-W27.")],
    as_of: Annotated[
        str | None, typer.Option(help="What was known at this instant (ISO; local time without an offset).")
    ] = None,
    lang: _Lang = "vi",
    basis: options.BasisOption = None,
    geography: options.GeographyOption = None,
    form: _Format = None,
    out_file: _Out = None,
    json_output: JsonOption = False,
) -> None:
    """Write the week's bulletin."""
    chosen = _form(form, out_file, json_output)
    with connected() as connection:
        document = weekly_bulletin(
            connection,
            province=province,
            week=week,
            lang=_language(lang),
            as_of=options.instant("--as-of", as_of),
            basis=_basis(basis),
            geography_on=options.day("--geography", geography),
        )
    _write(document, chosen, out_file)


@report.command("publish", help="Write the situation report and keep it under a name, with its hash.")
@exits
def publish(
    province: _Province,
    first: _From,
    last: _To,
    label: Annotated[str, typer.Option(help="What to call it, e.g. 'Năm 2023'.")],
    lang: _Lang = "vi",
    basis: options.BasisOption = None,
    geography: options.GeographyOption = None,
    form: _Format = None,
    out_file: _Out = None,
    json_output: JsonOption = False,
) -> None:
    """Keep what is written as a snapshot; 1 where ledger and counts differ."""
    # What was published brings in what loads the catalogue; most reports do without.
    from services.report.publishing import document_of, publish_situation

    chosen = _form(form, out_file, json_output)
    request = situation_request(**_asked(province, first, last, basis, geography))
    with connected() as connection:
        kept = publish_situation(connection, settings(), request, _language(lang), label)
    if json_output:
        print_json(_listed(kept))
    else:
        out.print(_published_text(kept), markup=False, highlight=False)
    if out_file is not None:
        _write(document_of(kept), chosen, out_file)


@report.command("list", help="The reports that were published, the newest first.")
@exits
def list_reports(json_output: JsonOption = False) -> None:
    """List them with their hashes."""
    # As in publish.
    from services.report.publishing import published_reports

    with connected() as connection:
        found = published_reports(connection)
    if json_output:
        print_json([_listed(snapshot) for snapshot in found])
    elif not found:
        out.print(
            "Chưa công bố báo cáo nào. / No report was published yet "
            "(`canhdich report publish … --label NAME`)."
        )
    else:
        table = Table()
        for column in ("Mã / ID", "Lúc / published at", "Tên / label", "Tỉnh", "Từ", "Đến", "SHA-256"):
            table.add_column(column, overflow="fold")
        for snapshot in found:
            asked = snapshot.settings
            table.add_row(
                str(snapshot.id),
                f"{snapshot.taken_at.astimezone(LOCAL_ZONE):%d/%m/%Y %H:%M:%S}",
                snapshot.label,
                asked["province"],
                asked["from"],
                asked["to"],
                snapshot.sha256,
            )
        out.print(table)


@report.command(
    "changes", help="What has changed in a period's counts since an instant or a published report."
)
@exits
def changes(
    since: Annotated[str, typer.Option(help="An instant (ISO), or the id of a published report.")],
    province: Annotated[str | None, typer.Option(help="Province code; default: that of the report.")] = None,
    first: options.FromOption = None,
    last: options.ToOption = None,
    until: Annotated[str | None, typer.Option(help="Instant up to which; default: now.")] = None,
    lang: _Lang = "vi",
    basis: options.BasisOption = None,
    geography: options.GeographyOption = None,
    json_output: JsonOption = False,
) -> None:
    """Cases that moved, were retracted or came late."""
    language = _language(lang)
    with connected() as connection:
        instant, asked = _since(connection, since)
        request = situation_request(
            **_asked(
                province or asked.get("province"),
                first or asked.get("from"),
                last or asked.get("to"),
                basis or asked.get("basis"),
                geography or asked.get("geography"),
            )
        )
        # As in publish.
        from services.report.changes import report_changes

        found = report_changes(connection, request, instant, options.instant("--until", until), language)
    if json_output:
        print_json(
            {
                "province": request.province,
                "from": request.first,
                "to": request.last,
                "since": found.since,
                "until": found.until,
                "stamp": found.stamp,
                "text": [paragraph.text for paragraph in found.paragraphs],
                "groups": [asdict(group) for group in found.groups],
            }
        )
        return
    if found.stamp is not None:
        out.print(f"*** {found.stamp} ***", markup=False)
    for paragraph in found.paragraphs:
        out.print(f"{'- ' if paragraph.is_item else ''}{paragraph.text}", markup=False, highlight=False)


@report.command("notice", help="Fill in a commune's notice 'có dịch' (or 'hết dịch') from an alert.")
@exits
def notice(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="The alert's id, or its first characters.")],
    is_end: Annotated[bool, typer.Option("--end", help="The notice of the end.")] = False,
    out_file: Annotated[Path | None, typer.Option("--out", help="DOCX to write.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Fill in the form of TT 15/2026, Phụ lục II; number, date and signature are the station's."""
    # Alerts bring in the detectors and SciPy, which take a second; no other command here needs them.
    from services.cli.alerts_command import whole_alert_id
    from streams.stores.notice import read_notice

    now = datetime.now(UTC)
    with connected() as connection:
        facts = read_notice(connection, whole_alert_id(connection, alert_id), now)
        stamp = stamp_of(connection)
    filled = write_notice(facts, "end" if is_end else "begin", load_notices())
    if out_file is not None:
        # As in _write.
        from services.report.docx import notice_docx

        out_file.write_bytes(notice_docx(filled, facts, stamp))
    if json_output:
        print_json({**asdict(filled), "stamp": stamp, "is_overdue": now > filled.due_at})
        return
    for line in (
        *([] if stamp is None else [f"*** {stamp} ***"]),
        filled.draft,
        filled.title,
        filled.subject,
    ):
        out.print(line, markup=False, highlight=False)
    for paragraph in filled.paragraphs:
        out.print(paragraph, markup=False, highlight=False)
    if now > filled.due_at:
        err.print("ĐÃ QUÁ HẠN 24 GIỜ. / The 24 hours are over.")


@report.command("focus", help="Fill in the daily report of an outbreak focus, or the one of its end.")
@exits
def focus(
    subject: Annotated[str, typer.Argument(help="The focus's own code, e.g. LC-OD-2024-01.")],
    on: Annotated[str | None, typer.Option(help="The day that is reported; default: today.")] = None,
    is_end: Annotated[bool, typer.Option("--end", help="The closing report.")] = False,
    as_of: Annotated[
        str | None, typer.Option(help="What was known at this instant (ISO; local time without an offset).")
    ] = None,
    form: _Format = None,
    out_file: _Out = None,
    json_output: JsonOption = False,
) -> None:
    """Fill in mẫu 02 (03 with --end) of QĐ 97/QĐ-PB; what is not known is left open."""
    chosen = _form(form, out_file, json_output)
    with connected() as connection:
        document = focus_report(
            connection,
            subject=subject,
            on=options.day("--on", on),
            is_end=is_end,
            as_of=options.instant("--as-of", as_of),
        )
    _write(document, chosen, out_file)


@report.command("outbreak", help="Fill in the report of an outbreak (or of its end) from an alert.")
@exits
def outbreak(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="The alert's id, or its first characters.")],
    on: Annotated[str | None, typer.Option(help="The last day that is reported; default: today.")] = None,
    is_end: Annotated[bool, typer.Option("--end", help="The report of the end.")] = False,
    form: _Format = None,
    out_file: _Out = None,
    json_output: JsonOption = False,
) -> None:
    """Fill in mẫu 04 (05 with --end) of QĐ 97/QĐ-PB; what is not known is left open."""
    # As in notice.
    from services.cli.alerts_command import whole_alert_id

    chosen = _form(form, out_file, json_output)
    with connected() as connection:
        document = outbreak_report(
            connection,
            alert_id=whole_alert_id(connection, alert_id),
            on=options.day("--on", on),
            is_end=is_end,
        )
    _write(document, chosen, out_file)


# What is asked and written ---------------------------------------------------------------------------------


class _Asked(TypedDict):
    province: str
    first: date
    last: date
    basis: Basis
    geography_on: date | None


def _asked(
    province: str | None, first: str | None, last: str | None, basis: str | None, geography: str | None
) -> _Asked:
    first_day, last_day = options.day("--from", first), options.day("--to", last)
    if province is None or first_day is None or last_day is None:
        raise ConfigurationError("A report wants --province, --from and --to.")
    return {
        "province": province,
        "first": first_day,
        "last": last_day,
        "basis": _basis(basis),
        "geography_on": options.day("--geography", geography),
    }


def _basis(text: str | None) -> Basis:
    return options.choice("--basis", text or "onset", BASES)


def _since(connection: Connection[TupleRow], text: str) -> tuple[datetime, dict[str, Any]]:
    """The instant, and what a published report asked."""
    # As in publish.
    from services.report.publishing import document_of
    from streams.stores.snapshots import read_snapshot

    try:
        snapshot = read_snapshot(connection, UUID(text))
    except ValueError:
        instant = options.instant("--since", text)
        assert instant is not None  # noqa: S101 - a text is given
        return instant, {}
    document_of(snapshot)
    return snapshot.taken_at, dict(snapshot.settings)


def _language(text: str) -> Lang:
    return options.choice("--lang", text, LANGS)


def _form(text: str | None, file: Path | None, json_output: bool) -> Format:
    if json_output:
        text = "json" if file is None else text
    if text is None:
        text = file.suffix.lstrip(".") if file is not None and file.suffix else "md"
    chosen = options.choice("--format", text, FORMATS)
    if chosen == "docx" and file is None:
        raise ConfigurationError("--format docx wants a file: --out report.docx.")
    return chosen


def _write(document: Document, form: Format, file: Path | None) -> None:
    if file is not None:
        content = printed(document, form).content
        file.write_bytes(content)
        err.print(f"{file}: {len(content):,} B", markup=False, highlight=False)
    elif form == "json":
        print_json(document)
    else:
        sys.stdout.write(markdown(document))


def _published_text(snapshot: "Snapshot") -> str:
    at = snapshot.taken_at.astimezone(LOCAL_ZONE).isoformat(timespec="seconds")
    return f"{snapshot.label}: công bố lúc / published at {at}, {snapshot.id}, SHA-256 {snapshot.sha256}."


def _listed(snapshot: "Snapshot") -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "published_at": snapshot.taken_at,
        "label": snapshot.label,
        "sha256": snapshot.sha256,
        "settings": snapshot.settings,
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ConfigurationError(
            f"--snapshot {text}: no snapshot's id; `canhdich report list` lists them."
        ) from error
