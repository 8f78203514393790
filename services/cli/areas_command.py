"""`canhdich areas …`: what codes mean and meant, which are unknown, and the next decree as a file."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from schemas.catalogue import CatalogueError, OperatorFilesError, load_catalogue
from services.announcing import announce_loads
from services.cli import options
from services.cli.connection import connected
from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json, progress_bar
from services.settings import settings
from streams.domain.areas import Area, AreaChange
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.domain.geography import OLDEST, Placement
from streams.stores import catalogue
from streams.stores.areas import Atlas, Candidate, Meaning, Neighbour, ParkedCode, read_parked_codes
from streams.stores.catalogue import Loaded, OperatorFiles

_MOST_BYTES = 10_000_000
_SHOWN = 20

areas = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(areas, name="areas", help="Areas with their dates: look up, load a decree, unknown codes.")


@areas.command("show", help="What a code means and meant, what it was made of and what it became.")
@exits
def show(
    code: Annotated[str, typer.Argument(help="Official code as text, zeros kept, e.g. 03390.")],
    on: Annotated[str | None, typer.Option(help="Only what it meant on this day, YYYY-MM-DD.")] = None,
    json_output: JsonOption = False,
) -> int:
    """Print every meaning of a code; exit 1 where it has none."""
    asked = options.day("--on", on)
    day = None if asked is None else asked.isoformat()
    with connected() as connection:
        atlas = Atlas(connection)
        meanings = [m for m in atlas.meanings(code) if day is None or m.area.is_valid_on(day)]
        candidates = [] if meanings else atlas.candidates(code, day or options.today().isoformat())
    if json_output:
        print_json(
            {
                "meanings": [_meaning(meaning, atlas) for meaning in meanings],
                "candidates": [asdict(candidate) for candidate in candidates],
            }
        )
    else:
        for meaning in meanings:
            _print_meaning(meaning, atlas)
    if not meanings:
        when = f" ngày {day} / on {day}" if day else ""
        err.print(f"{code}: không có nghĩa / means nothing{when}.", markup=False, highlight=False)
        _print_candidates(candidates)
        return EXIT_FAILED
    return 0


@areas.command("parked", help="Codes that the catalogue does not know, with the events that wait for them.")
@exits
def parked(json_output: JsonOption = False) -> None:
    """Print unknown codes, how many events wait, and what may have been meant."""
    with connected() as connection:
        found = read_parked_codes(connection)
    if json_output:
        print_json([asdict(code) for code in found])
        return
    if not found:
        out.print("Không có sự kiện nào phải chờ. / No event waits.")
        return
    table = Table(title="Mã chưa biết / Unknown codes")
    for title in ("Mã", "Sự kiện", "Dùng cho ngày", "Ví dụ", "Có thể là"):
        table.add_column(title)
    for code in found:
        table.add_row(*_parked_row(code))
    out.print(table)


@areas.command("load", help="Load a decree, surveillance areas or case_reports_since: CSV files.")
@exits
def load(
    path: Annotated[Path, typer.Argument(help="A CSV file, or a folder of them (docs/areas.md).")],
    name: Annotated[
        str | None,
        typer.Option(help="What to call them; files of the same name are replaced. By default the path's."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; the workers wait meanwhile.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Check the files, put them in force, say what changed; exit 1 where rows are wrong."""
    configured = settings()
    called = name or path.stem
    try:
        packaged = load_catalogue()
    except CatalogueError as error:
        raise ConfigurationError(f"The packaged catalogue is broken: {error}") from error
    files = _read(path)
    with connected() as connection:
        try:
            with progress_bar("Đếm lại / counting anew", None) as advance:
                loaded = catalogue.load_operator_files(
                    connection,
                    packaged,
                    called,
                    files,
                    "canhdich areas load",
                    is_trial=dry_run,
                    advance=advance,
                )
        except OperatorFilesError as wrong:
            return _print_problems(wrong, json_output)
        announced = 0 if dry_run else _announce(connection, configured)
    document = _changes(loaded, called, dry_run)
    if json_output:
        print_json({**document, "announced": announced, "problems": []})
    else:
        _print_changes(loaded, called, dry_run)
    return 0


@areas.command("files", help="The operator's files in force.")
@exits
def files_(json_output: JsonOption = False) -> None:
    """Print what operators loaded, in the order in which it is laid over the package's catalogue."""
    with connected() as connection:
        kept = catalogue.read_operator_files(connection)
    if json_output:
        print_json([_kept(entry) for entry in kept])
        return
    table = Table()
    for title in ("name", "files", "SHA-256", "loaded", "load"):
        table.add_column(title)
    for entry in kept:
        loaded_at = entry.loaded_at.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(
            entry.name, ", ".join(sorted(entry.files)), entry.sha256[:16], loaded_at, str(entry.load_id)
        )
    out.print(table)


@areas.command("remove", help="Take an operator's files out of force again.")
@exits
def remove(
    name: Annotated[str, typer.Argument(help="The name that `areas files` shows.")],
    json_output: JsonOption = False,
) -> None:
    """Forget an operator's files; refused where events refer to areas that only they know."""
    configured = settings()
    with connected() as connection:
        loaded = catalogue.remove_operator_files(connection, load_catalogue(), name, "canhdich areas remove")
        announced = _announce(connection, configured)
    if json_output:
        print_json({**_changes(loaded, name, False), "announced": announced, "problems": []})
    else:
        _print_changes(loaded, name, False)


def _announce(connection: Any, configured: Any) -> int:
    try:
        return announce_loads(connection, configured)
    except DependencyDown as error:
        raise DependencyDown(
            f"The files are in force, but the moved counts are not announced: {error}\n"
            "`canhdich migrate` announces them as soon as Kafka answers."
        ) from error


def _read(path: Path) -> dict[str, str]:
    if path.is_dir():
        paths = sorted(path.glob("*.csv"))
        if not paths:
            raise ConfigurationError(f"{path}: there is no .csv file in this folder.")
    else:
        paths = [path]
    files = {}
    for file in paths:
        try:
            if file.stat().st_size > _MOST_BYTES:
                raise ConfigurationError(f"{file}: larger than {_MOST_BYTES:,} bytes: no such list.")
            files[file.name] = file.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise ConfigurationError(f"{file}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{file}: no UTF-8: save it as «CSV UTF-8».") from error
    return files


def _print_problems(wrong: OperatorFilesError, json_output: bool) -> int:
    if json_output:
        print_json({"problems": [asdict(problem) for problem in wrong.problems]})
    for problem in wrong.problems[:_SHOWN]:
        where = ":".join(str(part) for part in (problem.file, problem.row or "", problem.column) if part)
        err.print(
            f"{where}: {problem.message_vi} / {problem.message_en}",
            markup=False,
            highlight=False,
            style="red",
        )
    if len(wrong.problems) > _SHOWN:
        err.print(f"… {len(wrong.problems) - _SHOWN}")
    err.print("Chưa nạp gì cả. / Nothing was loaded.")
    return EXIT_FAILED


# --- documents --------------------------------------------------------------------------------------------


def _area(area: Area) -> dict[str, Any]:
    return {
        "id": area.id,
        "code": area.code,
        "kind": area.kind,
        "name": area.name_vi,
        "valid_from": area.valid_from,
        "valid_to": area.valid_to,
    }


def _meaning(meaning: Meaning, atlas: Atlas) -> dict[str, Any]:
    def linked(neighbours: Any) -> list[dict[str, Any]]:
        return [
            {**_area(neighbour.area), "link": neighbour.kind, "is_default": neighbour.is_default}
            for neighbour in neighbours
        ]

    return {
        **_area(meaning.area),
        "district": _named(meaning.area.district_id, atlas),
        "province": _named(meaning.area.province_id, atlas),
        "predecessors": linked(meaning.predecessors),
        "successors": linked(meaning.successors),
        "places": [
            {
                "structure_on": None if place.structure_on == OLDEST else place.structure_on,
                "province": _named(place.province_id, atlas),
                "district": _named(place.district_id, atlas),
                "commune": _named(place.commune_id, atlas),
                "approximate_share": max(place.province_doubt, place.district_doubt, place.commune_doubt),
            }
            for place in meaning.places
        ],
    }


def _named(area_id: str | None, atlas: Atlas) -> dict[str, str] | None:
    if area_id is None:
        return None
    area = atlas.index[area_id]
    return {"id": area.id, "code": area.code, "name": area.name_vi}


def _kept(entry: OperatorFiles) -> dict[str, Any]:
    return {
        "name": entry.name,
        "files": sorted(entry.files),
        "sha256": entry.sha256,
        "loaded_at": entry.loaded_at,
        "load_id": entry.load_id,
    }


def _changes(loaded: Loaded, name: str, is_trial: bool) -> dict[str, Any]:
    def changed(changes: tuple[AreaChange, ...]) -> list[dict[str, Any]]:
        return [
            {
                **_area(change.area),
                "name_before": change.before.name_vi,
                "district_id_before": change.before.district_id,
                "district_id": change.area.district_id,
            }
            for change in changes
        ]

    return {
        "name": name,
        "dry_run": is_trial,
        "load_id": loaded.load_id,
        "version": loaded.version,
        "is_new": loaded.is_new,
        "added": [_area(area) for area in loaded.changes.added],
        "ended": [_area(area) for area in loaded.changes.ended],
        "removed": [_area(area) for area in loaded.changes.removed],
        "renamed": changed(loaded.changes.renamed),
        "regrouped": changed(loaded.changes.regrouped),
        "regrouped_cases": loaded.changes.regrouped_cases,
        "unparked_events": loaded.refolded_events,
        "recounted_cases": loaded.refolded_cases,
    }


# --- for people -------------------------------------------------------------------------------------------


def _parked_row(code: ParkedCode) -> tuple[str, str, str, str, str]:
    days = code.first_on if code.first_on == code.last_on else f"{code.first_on} … {code.last_on}"
    likely = "\n".join(f"{c.code} {c.name}: {c.why_vi}" for c in code.candidates[:5])
    return code.code, f"{code.events:,}", days, code.subject, likely or "không rõ"


def _print_candidates(candidates: list[Candidate]) -> None:
    for candidate in candidates[:_SHOWN]:
        err.print(
            f"  {candidate.code} {candidate.name}: {candidate.why_vi} / {candidate.why_en}",
            markup=False,
            highlight=False,
        )


def _print_meaning(meaning: Meaning, atlas: Atlas) -> None:
    area = meaning.area
    table = Table(title=f"{area.code} {area.name_vi}", show_header=False)
    table.add_row("Hiệu lực / valid", f"{area.valid_from or '…'} – {area.valid_to or 'nay'}")
    if area.kind != "province":
        inside = [atlas.index[i].name_vi for i in (area.district_id, area.province_id) if i and i != area.id]
        table.add_row("Thuộc / in", ", ".join(inside))
    table.add_row("Hình thành từ / made of", _listed(meaning.predecessors))
    table.add_row("Trở thành / became", _listed(meaning.successors))
    for place in meaning.places:
        table.add_row(
            f"Cơ cấu từ / structure of {place.structure_on if place.structure_on != OLDEST else '…'}",
            _placed(place, atlas),
        )
    out.print(table)


def _listed(neighbours: Any) -> str:
    def one(neighbour: Neighbour) -> str:
        mark = {"whole": "", "part": " (một phần)", "assumed": " (chưa kiểm chứng)"}[neighbour.kind]
        return f"{neighbour.area.code} {neighbour.area.name_vi}{mark}"

    return "; ".join(one(neighbour) for neighbour in neighbours) or "–"


def _placed(place: Placement, atlas: Atlas) -> str:
    ids = (place.commune_id, place.district_id, place.province_id)
    names = ", ".join(atlas.index[area_id].name_vi for area_id in ids if area_id is not None)
    doubt = max(place.province_doubt, place.district_doubt, place.commune_doubt)
    return names + (f" (gần đúng: {doubt:.0%} ở nơi khác / elsewhere)" if doubt else "")


def _print_changes(loaded: Loaded, name: str, is_trial: bool) -> None:
    changes = loaded.changes
    if not loaded.is_new:
        out.print(f"{name}: đã có hiệu lực, không có gì thay đổi. / In force already, nothing changes.")
        return
    for title, listed in (
        ("Đơn vị mới / added", changes.added),
        ("Hết hiệu lực / ended", changes.ended),
        ("Bị gỡ / removed", changes.removed),
        ("Đổi tên / renamed", tuple(change.area for change in changes.renamed)),
        ("Đổi khu vực / regrouped", tuple(change.area for change in changes.regrouped)),
    ):
        if listed:
            names = ", ".join(f"{area.code} {area.name_vi}" for area in listed[:_SHOWN])
            more = f" … +{len(listed) - _SHOWN}" if len(listed) > _SHOWN else ""
            out.print(f"{title} ({len(listed)}): {names}{more}", markup=False, highlight=False)
    out.print(
        f"Ca bệnh đổi khu vực / cases regrouped: {changes.regrouped_cases:,}. Sự kiện hết phải chờ / events "
        f"unparked: {loaded.refolded_events:,}. Ca bệnh đếm lại / cases counted otherwise: "
        f"{loaded.refolded_cases:,}.",
        highlight=False,
    )
    out.print(
        "Chạy thử: chưa nạp gì. / Trial: nothing was loaded."
        if is_trial
        else f"{name}: đã có hiệu lực / in force: {loaded.version} (load {loaded.load_id})."
    )
