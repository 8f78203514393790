"""`canhdich foci`: outbreak foci and food-poisoning events, and totals that say what they leave out."""

from typing import Annotated, Any

import typer
from psycopg import Connection
from psycopg.rows import TupleRow
from rich.box import SIMPLE_HEAD
from rich.table import Table

from schemas.events.fields import FIELDS, FOCUS_HOSPITALISED
from services.cli.connection import connected
from services.cli.options import (
    DiseaseOption,
    DistrictOption,
    FromOption,
    ProvinceOption,
    ToOption,
    choice,
    day,
    instant,
    today,
)
from services.cli.output import JsonOption, exits, out, print_json
from services.cli.tallies_command import day_text, number
from streams.domain.errors import ConfigurationError
from streams.domain.focus import NUMBERS
from streams.domain.geography import geography_on
from streams.stores.counts import CountsRequest
from streams.stores.foci import FociTotal, ShownFocus, read_foci, read_foci_totals
from streams.stores.focus_report import FocusHistory, read_focus_history

_KINDS = dict(FIELDS["kind"].values or {})
_NAMES_VI = {
    **{name: FIELDS[name].label_vi for name in NUMBERS},
    "hospitalised": FOCUS_HOSPITALISED.label_vi,
}
_NAMES_EN = {
    "exposed": "exposed",
    "ill": "ill",
    "hospitalised": "in hospital",
    "dead": "dead",
    "samples": "samples",
    "positives": "positive samples",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("foci", help="Outbreak foci and food-poisoning events, with their unknowns.")(foci)


@exits
def foci(
    province: ProvinceOption = None,
    district: DistrictOption = None,
    disease: DiseaseOption = None,
    kind: Annotated[str | None, typer.Option(help=f"{' or '.join(_KINDS)}; both by default.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="One focus by its own code: its numbers day by day.")
    ] = None,
    first: FromOption = None,
    last: ToOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="What was known at this instant (ISO; local time without an offset).")
    ] = None,
    geography: Annotated[
        str | None,
        typer.Option(help="Day whose structure of areas is shown, or surveillance; by default that of --to."),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Print the foci that began in a period, and what they add up to; or one of them day by day."""
    if subject is not None:
        if any(option is not None for option in (province, district, disease, kind, first, last, geography)):
            raise ConfigurationError("--subject goes with --as-of alone: it names the one focus.")
        with connected() as connection:
            history = read_focus_history(connection, subject, instant("--as-of", as_of))
        if json_output:
            print_json({"subject": subject, "days": history.rows()})
        else:
            _print_days(history)
        return
    last_day = day("--to", last)
    request = CountsRequest(
        by=(),
        geography_on=geography_on(geography, last_day, today()),
        province=province,
        district=district,
        disease=disease,
        first=day("--from", first),
        last=last_day,
        as_of=instant("--as-of", as_of),
    )
    if request.first is not None and request.last is not None and request.first > request.last:
        raise ConfigurationError("--from is after --to.")
    if kind is not None:
        choice("--kind", kind, tuple(_KINDS))
    with connected() as connection:
        if json_output:
            print_json(foci_document(connection, request, kind))
            return
        found = read_foci(connection, request, kind)
        totals = read_foci_totals(connection, request, found)
    if not found:
        out.print("Không có ổ dịch hay vụ ngộ độc nào. / No foci.")
    else:
        _print(found, totals)


def foci_document(
    connection: Connection[TupleRow], request: CountsRequest, kind: str | None
) -> dict[str, Any]:
    """As `--json` prints it."""
    found = read_foci(connection, request, kind)
    totals = read_foci_totals(connection, request, found)
    return {"foci": [_document(shown) for shown in found], "totals": [_total(one) for one in totals]}


def notes(total: FociTotal) -> list[tuple[str, str]]:
    """What must be said beside a total (Vietnamese, English): what its rows leave out, what the office says.

    >>> from streams.domain.focus import Total
    >>> rows = {"ill": Total(21, 2, 1)}
    >>> notes(FociTotal("food_poisoning", "food_poisoning", "Ngộ độc", 3, rows, {"ill": 25}))[0][1]
    'ill: the rows add up to 21 and are incomplete (1 of 3 does not say); the office reports 25.'
    """
    found = []
    for name in total.incomplete:
        rows = total.rows[name]
        said = f"{_NAMES_VI[name]}: các dòng cộng lại là {number(rows.known_sum)}"
        said_en = f"{_NAMES_EN[name]}: the rows add up to {number(rows.known_sum)}"
        if rows.unknown:
            verb = "does" if rows.unknown == 1 else "do"
            said += f" và chưa đầy đủ ({rows.unknown}/{total.foci} dòng không rõ)"
            said_en += f" and are incomplete ({rows.unknown} of {total.foci} {verb} not say)"
        if name in total.reported:
            said += f"; báo cáo của đơn vị là {number(total.reported[name])}"
            said_en += f"; the office reports {number(total.reported[name])}"
        found.append((f"{said}.", f"{said_en}."))
    return found


def _document(shown: ShownFocus) -> dict[str, Any]:
    focus = shown.focus._asdict()
    focus.pop("area_id")
    return {
        "subject": shown.subject,
        **focus,
        **shown.area.shown("province"),
        **shown.area.shown("district"),
        **shown.area.shown("commune"),
        "known_at": shown.known_at,
    }


def _total(total: FociTotal) -> dict[str, Any]:
    return {
        "kind": total.kind,
        "disease": total.disease,
        "disease_name": total.disease_name,
        "foci": total.foci,
        **{
            name: {
                "known_sum": rows.known_sum,
                "known": rows.known,
                "unknown": rows.unknown,
                "reported": total.reported.get(name),
            }
            for name, rows in total.rows.items()
        },
        "incomplete": total.incomplete,
        "notes": [{"message_vi": vi, "message_en": en} for vi, en in notes(total)],
    }


def _print_days(history: FocusHistory) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title=history.subject)
    table.add_column("Đến hết ngày")
    for name in NUMBERS:
        table.add_column(_NAMES_VI[name], justify="right", overflow="fold", min_width=5)
    table.add_column("Kết thúc")
    for row in history.rows():
        table.add_row(
            day_text(row["day"]),
            *(number(row[name]) for name in NUMBERS),
            day_text(row["ended_on"]),
        )
    out.print(table)
    out.print("– chưa rõ, không phải là 0. / not known, which is not zero.")


def _print(found: list[ShownFocus], totals: list[FociTotal]) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in ("Mã", "Loại", "Ngày", "Địa bàn", "Địa điểm"):
        table.add_column(title, overflow="fold")
    for name in NUMBERS:
        table.add_column(_NAMES_VI[name], justify="right", overflow="fold", min_width=5)
    table.add_column("Tác nhân", overflow="fold")
    for shown in found:
        focus = shown.focus
        table.add_row(
            shown.subject,
            _KINDS[focus.kind],
            day_text(focus.day),
            shown.area.name_vi,
            focus.place or "–",
            *(number(getattr(focus, name)) for name in NUMBERS),
            focus.agent or "–",
        )
    out.print(table)
    for total in totals:
        sums = ", ".join(
            f"{_NAMES_VI[name].lower()} {number(rows.known_sum)}"
            for name, rows in total.rows.items()
            if rows.known
        )
        out.print(f"{total.disease_name}: {total.foci} vụ/ổ dịch; {sums}.", markup=False, highlight=False)
        for vietnamese, english in notes(total):
            out.print(f"  {vietnamese} / {english}", markup=False, highlight=False)
    out.print("– chưa rõ, không phải là 0. / not known, which is not zero.")
