"""What `canhdich rules detectors` reads and prints; apart, because numpy and scipy take a while to import."""

from collections.abc import Mapping
from datetime import date

from rich.table import Table

from services.cli.output import err, out, print_json
from streams.domain.areas import code_of
from streams.domain.errors import ConfigurationError
from streams.domain.rules import Outcome, Verdict
from streams.stores import database
from streams.stores.area_cases import area_id_of
from streams.stores.counts import names_of_areas
from streams.stores.detector_series import detector_sweep

_OUTCOMES_VI = {
    Outcome.ALERT: "CHÚ Ý",
    Outcome.NO: "Không",
    Outcome.NOT_ENOUGH_HISTORY: "Không đủ số liệu",
    Outcome.NOT_COMPUTABLE: "Không tính được",
}


def show_detectors(database_url: str, disease: str, on: date, area: str | None, *, json_output: bool) -> None:
    """Print what the detectors say of the last complete weeks before a day.

    Args:
        database_url: Which database.
        disease: Which.
        on: The day of judging.
        area: Code of a commune or (surveillance) district of that day; None: every area with a case in the
            weeks judged.
        json_output: One JSON document in the place of the table.

    Raises:
        ConfigurationError: no such disease or area, or a series that nobody has.
        DependencyDown: the database does not answer.
    """
    with detector_sweep(database_url) as sweep:
        found = sweep.check(disease, on)
    with database.errors_translated(), database.connect(database_url) as connection:
        if area is None:
            found = {area_id: rows for area_id, rows in found.items() if any(map(_has_cases, rows))}
        else:
            area_id = area_id_of(connection, area, on)
            if area_id not in found:
                raise ConfigurationError(
                    f"--area {area}: no case of {disease} by onset is stored for it as a commune or district "
                    f"of {on.isoformat()}; a detector needs a series."
                )
            found = {area_id: found[area_id]}
        names = names_of_areas(connection, found)
    verdicts = [verdict for rows in found.values() for verdict in rows]
    if json_output:
        print_json([verdict.document() for verdict in verdicts])
        return
    out.print(_table(verdicts, names))
    if not verdicts:
        err.print(
            f"No case of {disease} by onset in the four weeks before {on.isoformat()}: nothing to judge.",
            highlight=False,
        )


def _has_cases(verdict: Verdict) -> bool:
    return bool(verdict.numbers["cases"])


def _table(verdicts: list[Verdict], names: Mapping[str, str]) -> Table:
    """Alerts first, then by place and week."""
    table = Table()
    for column in ("Nơi / where", "Kết luận / verdict", "Căn cứ / why"):
        table.add_column(column, overflow="fold")
    for verdict in sorted(verdicts, key=lambda v: (-v.level.rank, v.area_id, str(v.period_start))):
        late = " (muộn / late)" if verdict.is_late else ""
        merged = " [số liệu gộp / reconstructed]" if verdict.is_reconstructed else ""
        table.add_row(
            f"{names[verdict.area_id]}\n{code_of(verdict.area_id)}",
            f"{_OUTCOMES_VI[verdict.verdict]}{late}\n{verdict.verdict.value}",
            f"{verdict.why_vi}{merged}\n{verdict.why_en}",
        )
    return table
