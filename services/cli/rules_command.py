"""`canhdich rules`: what the law and the CDC's thresholds say of an area, a disease and a day."""

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from schemas.catalogue import CatalogueError, load_catalogue
from schemas.catalogue.rules.notices import parse_notices
from services.cli import options
from services.cli.connection import connected
from services.cli.output import JsonOption, err, exits, out, print_json
from services.settings import settings
from streams.domain.errors import ConfigurationError
from streams.domain.geography import geography_on
from streams.domain.rules import Outcome, Verdict
from streams.domain.rules.book import Rule
from streams.stores.area_cases import area_id_of
from streams.stores.rule_judge import rules_judge
from streams.stores.rules import add_notices, load_province_rules, read_rules

_OUTCOMES_VI = {
    Outcome.ALERT: "CẢNH BÁO",
    Outcome.ABOVE_BAND: "CẢNH BÁO, vượt khoảng",
    Outcome.OUTBREAK: "CÓ DỊCH (theo tiêu chí)",
    Outcome.VERIFY_LINK: "Xác minh mối liên quan",
    Outcome.DUTY: "Có thời hạn đang chạy",
    Outcome.ENDED_PROPOSED: "Đề nghị xem xét hết dịch",
    Outcome.STAYS_OPEN: "Chưa hết dịch",
    Outcome.NO: "Không",
    Outcome.NO_LONGER_MET: "Không còn đủ căn cứ",
    Outcome.RESPONDER: "Đơn vị xử lý",
    Outcome.NOT_ENOUGH_HISTORY: "Không đủ số liệu",
    Outcome.NOT_COMPUTABLE: "Không tính được",
    Outcome.NOT_APPLICABLE: "Không áp dụng",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    rules = typer.Typer(help="The alert rules: check, detectors, list, load.", no_args_is_help=True)
    rules.command("check", help="Every rule's verdict for an area, a disease and a day, with its numbers.")(
        check
    )
    rules.command("detectors", help="What the statistical detectors say of the stored weekly series.")(
        detectors
    )
    rules.command("list", help="The rules in force.")(list_rules)
    rules.command("load", help="Load the province's rules (.yaml) or declared outbreaks (.csv).")(load)
    app.add_typer(rules, name="rules")


@exits
def check(
    area: Annotated[str, typer.Option(help="Code of a commune, district or province, e.g. 03549.")],
    disease: Annotated[str, typer.Option(help="Disease code, e.g. dengue.")],
    on: Annotated[
        str | None, typer.Option(help="Cases count to the end of this day, YYYY-MM-DD; today by default.")
    ] = None,
    geography: Annotated[
        str | None,
        typer.Option(help="Day whose structure of areas the code is of, for an old code; by default --on."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="Only what was known at this instant (ISO; local time without an offset)."),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Print the verdicts; the rules that say something first."""
    database_url = settings().database_url.get_secret_value()
    today = options.today()
    day = options.day("--on", on) or today
    read_on = geography_on(geography, day, today)
    with connected() as connection:
        area_id = area_id_of(connection, area, read_on)
    with rules_judge(database_url, options.instant("--as-of", as_of)) as judge:
        verdicts = judge.judge_all(disease, area_id, day)
    if json_output:
        print_json([verdict.document() for verdict in verdicts])
    else:
        _print_verdicts(verdicts)


def _print_verdicts(verdicts: list[Verdict]) -> None:
    silent = [v for v in verdicts if v.verdict is Outcome.NOT_APPLICABLE]
    table = Table()
    for column in ("Quy định / rule", "Kết luận / verdict", "Căn cứ / why"):
        table.add_column(column, overflow="fold")
    for verdict in sorted(
        (v for v in verdicts if v not in silent), key=lambda v: (-v.level.rank, v.verdict is Outcome.NO)
    ):
        late = " (muộn / late)" if verdict.is_late else ""
        merged = " [số liệu gộp / reconstructed]" if verdict.is_reconstructed else ""
        table.add_row(
            verdict.rule_id,
            f"{_OUTCOMES_VI[verdict.verdict]}{late}\n{verdict.verdict.value}",
            f"{verdict.why_vi}{merged}\n{verdict.why_en}",
        )
    out.print(table)
    out.print(
        f"Không áp dụng / not applicable: {', '.join(v.rule_id for v in silent) or '-'}. "
        f"Bộ quy định / rule book {verdicts[0].rule_version}."
    )


@exits
def detectors(
    disease: Annotated[str, typer.Option(help="Disease code, e.g. dengue.")],
    area: Annotated[
        str | None,
        typer.Option(
            help="Code of a commune or district of that day, e.g. 03549; all with cases by default."
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(help="The four complete weeks before this day are judged; today by default."),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Print the verdicts by all that is known now; alerts first."""
    # Imported here: numpy and scipy take longer to load than other commands to run.
    from services.cli.detector_verdicts import show_detectors

    day = options.day("--on", on) or options.today()
    show_detectors(settings().database_url.get_secret_value(), disease, day, area, json_output=json_output)


@exits
def list_rules(json_output: JsonOption = False) -> None:
    """The rules in the order in which they are judged."""
    with connected() as connection:
        book = read_rules(connection)
    if json_output:
        print_json([_document(rule, book.version) for rule in book.rules])
        return
    table = Table()
    for column in ("Mã / id", "Tên / name", "Từ / from", "Đến / to", "Căn cứ / citation"):
        table.add_column(column, overflow="fold")
    for rule in book.rules:
        table.add_row(
            rule.id,
            f"{rule.name_vi}\n{rule.name_en}",
            str(rule.valid_from or ""),
            str(rule.valid_to or ""),
            rule.citation,
        )
    out.print(table)
    out.print(f"Bộ quy định / rule book {book.version}, lần nạp / load {book.load_id}.")


def _document(rule: Rule, version: str) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "kind": rule.kind,
        "area": rule.area,
        "level": rule.level.value,
        "valid_from": rule.valid_from,
        "valid_to": rule.valid_to,
        "citation": rule.citation,
        "name_vi": rule.name_vi,
        "name_en": rule.name_en,
        "numbers": dict(rule.numbers),
        "diseases": None if rule.diseases is None else sorted(rule.diseases),
        "groups": None if rule.groups is None else sorted(rule.groups),
        "endemic": rule.endemic,
        "rule_version": version,
    }


@exits
def load(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help=".yaml or .csv")],
    json_output: JsonOption = False,
) -> None:
    """Put a province's own rules in force, or enter declared outbreaks."""
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file.name}: is not UTF-8: save the file as UTF-8.") from error
    loaded_by = f"canhdich rules load ({getpass.getuser()})"
    catalogue = load_catalogue()
    with connected() as connection:
        if file.suffix.lower() == ".csv":
            try:
                notices = parse_notices(text, file.name)
            except CatalogueError as error:
                raise ConfigurationError(str(error)) from error
            codes = [disease.code for disease in catalogue.diseases]
            done: dict[str, Any] = {"notices": add_notices(connection, notices, codes, loaded_by)}
            said = f"{done['notices']} notice(s) entered."
        else:
            loaded = load_province_rules(connection, catalogue, text, file.name, loaded_by)
            done = {"load_id": loaded.load_id, "version": loaded.version, "is_new": loaded.is_new}
            said = f"Rules {loaded.version}: {'loaded' if loaded.is_new else 'in force already'}."
    if json_output:
        print_json(done)
    else:
        err.print(said)
