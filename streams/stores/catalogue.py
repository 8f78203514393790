"""The catalogue in TimescaleDB: read for the fold; loaded as a journaled act of its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID, uuid5

from psycopg import Connection, Cursor, sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

import schemas.catalogue as published
from schemas.sql import query
from streams.domain.areas import NO_CHANGES, Area, AreaChanges, AreaIndex, changes_between
from streams.domain.calendar import microseconds
from streams.domain.case import CaseEvent
from streams.domain.catalogue import Catalogue
from streams.domain.errors import ConfigurationError
from streams.domain.geography import Link, placements
from streams.domain.judging import judge, kind_of
from streams.domain.positions import Touched
from streams.stores.report_tables import fold_parked_reports
from streams.stores.tables import (
    STAGING,
    Cause,
    LedgerRow,
    fold_events,
    lock_cases,
    recount,
    write_moved,
)

# A count that no event moved is written under an id that names the load.
_LOAD_NAMESPACE = UUID("6a1f2f5e-7b58-4d5e-9a55-0c4d3a5a8a11")
_REFOLD_BATCH = 5_000

_Item = TypeVar("_Item")


def load_uuid(load_id: int) -> UUID:
    """The id under which a load's own ledger rows stand."""
    return uuid5(_LOAD_NAMESPACE, str(load_id))


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did; `is_new` is False where this very catalogue was in force already.

    Attributes:
        refolded_events: Parked events folded, because their codes are known now.
        refolded_cases: Cases that count otherwise, because a rule of their disease or province changed.
        changes: What became of the areas; nothing in the first load.
    """

    load_id: int
    version: str
    is_new: bool
    refolded_events: int = 0
    refolded_cases: int = 0
    changes: AreaChanges = NO_CHANGES


@dataclass(frozen=True, slots=True)
class OperatorFiles:
    """Files that an operator loaded together, under a name; loading the name again replaces them.

    Attributes:
        name: What the operator calls them.
        files: File name -> text.
        sha256: Of all of them, hexadecimal.
        loaded_at: When they were loaded.
        load_id: The load that put them in force.
    """

    name: str
    files: Mapping[str, str]
    sha256: str
    loaded_at: datetime
    load_id: int


@dataclass(frozen=True, slots=True)
class PastLoad:
    """One entry of the journal of loads; `is_kept` where what it put in force is kept, too."""

    load_id: int
    version: str
    known_at: datetime
    is_kept: bool


def current_load_id(connection: Connection[TupleRow]) -> int:
    """The load in force.

    Raises:
        ConfigurationError: no catalogue was ever loaded.
    """
    row = connection.execute(query("current_catalogue_load")).fetchone()
    if row is None:
        raise ConfigurationError("The database has no catalogue: run `canhdich migrate` first.")
    return int(row[0])


def read_catalogue(connection: Connection[TupleRow]) -> Catalogue:
    """The catalogue in force, as the fold needs it."""
    return _read_tables(connection, current_load_id(connection))


def read_loads(connection: Connection[TupleRow]) -> list[PastLoad]:
    """Every load, oldest first."""
    return [PastLoad(*row) for row in connection.execute(query("catalogue_loads"))]


def read_past_catalogue(connection: Connection[TupleRow], past: PastLoad) -> Catalogue:
    """The catalogue that a load put in force; for the rest of the transaction it stands in the tables, too.

    Where the load's content is not kept this is the content of the catalogue in force.
    """
    show_past_catalogue(connection, past)
    return _read_tables(connection, past.load_id)


def show_past_catalogue(connection: Connection[TupleRow], past: PastLoad) -> None:
    """Let the rest of the transaction read the catalogue that a load put in force, where that is kept.

    Temporary tables go before the real ones of the same names, so every query reads them.
    """
    if not past.is_kept:
        return
    for table in ("diseases", "areas", "area_geographies", "case_reports_since"):
        name = sql.Identifier(table)
        connection.execute(sql.SQL("drop table if exists pg_temp.{}").format(name))
        connection.execute(sql.SQL("create temporary table {} (like {}) on commit drop").format(name, name))
    # A plan made before would go on reading the real tables.
    connection.execute("discard plans")
    for statement in (
        query("past_diseases"),
        query("past_areas"),
        query("past_area_geographies"),
        query("past_case_reports_since"),
    ):
        connection.execute(statement, {"load_id": past.load_id})


def _read_tables(connection: Connection[TupleRow], load_id: int) -> Catalogue:
    return Catalogue(
        load_id,
        AreaIndex(Area(*row) for row in connection.execute(query("catalogue_areas"))),
        dict(connection.execute(query("catalogue_diseases")).fetchall()),
        {
            (disease, province_id): day
            for disease, province_id, day in connection.execute(query("catalogue_case_reports_since"))
        },
    )


def load(
    connection: Connection[TupleRow],
    catalogue: published.Catalogue,
    loaded_by: str,
    advance: Callable[[int], None] = lambda _: None,
) -> Loaded:
    """Put a catalogue in force and fold again whatever it judges differently, in one transaction.

    The operator's files are laid over it. Cases that it makes count otherwise are counted anew, parked events
    whose codes it knows are folded; all of it with known_at = this load.

    Args:
        connection: Used for one transaction.
        catalogue: That of the package.
        loaded_by: Who or what loads it.
        advance: Called with the number of cases and events looked at since the last call.

    Raises:
        ConfigurationError: the catalogue lacks a disease or an area that cases refer to; or the operator's
            files do not fit it.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(query("lock_catalogue_exclusive"))
        merged = with_operator_files(connection, catalogue)
        return _load(cursor, merged, catalogue.version, loaded_by, advance)


def load_operator_files(
    connection: Connection[TupleRow],
    catalogue: published.Catalogue,
    name: str,
    files: Mapping[str, str],
    loaded_by: str,
    *,
    is_trial: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Loaded:
    """Keep an operator's files and put in force what they make of the catalogue, in one transaction.

    Args:
        connection: Used for one transaction.
        catalogue: That of the package.
        name: Files of this name are replaced.
        files: File name -> text.
        loaded_by: Who or what loads them.
        is_trial: Do all of it, and then nothing of it: to see what it would do. Workers wait meanwhile.
        advance: As for `load`.

    Raises:
        ConfigurationError: as for `load`; or no catalogue was ever loaded.
        OperatorFilesError: the files are wrong.
    """
    with connection.transaction(force_rollback=is_trial), connection.cursor() as cursor:
        cursor.execute(query("lock_catalogue_exclusive"))
        kept = {
            "name": name,
            "files": Jsonb(dict(files)),
            "sha256": bytes.fromhex(published.digest(files)),
            "load_id": current_load_id(connection),
        }
        cursor.execute(query("keep_operator_files"), kept)
        merged = catalogue
        for earlier in read_operator_files(connection):
            # Only those of now are the caller's to put right.
            if earlier.name == name:
                merged = published.with_files(merged, files)
            else:
                merged = _with_kept_files(merged, earlier)
        loaded = _load(cursor, merged, catalogue.version, loaded_by, advance)
        cursor.execute(query("keep_operator_files"), {**kept, "load_id": loaded.load_id})
        return loaded


def remove_operator_files(
    connection: Connection[TupleRow], catalogue: published.Catalogue, name: str, loaded_by: str
) -> Loaded:
    """Forget an operator's files and put the rest in force, in one transaction.

    Raises:
        ConfigurationError: there are none of this name; or cases refer to areas that only they know.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(query("lock_catalogue_exclusive"))
        cursor.execute(query("remove_operator_files"), {"name": name})
        if not cursor.rowcount:
            raise ConfigurationError(
                f"No operator's files are called {name!r}: `canhdich areas files` lists them."
            )
        merged = with_operator_files(connection, catalogue)
        return _load(cursor, merged, catalogue.version, loaded_by, lambda _: None)


def read_operator_files(connection: Connection[TupleRow]) -> list[OperatorFiles]:
    """What operators loaded, in the order in which it is laid over the package's catalogue."""
    return [
        OperatorFiles(name, files, digest.hex(), loaded_at, load_id)
        for name, files, digest, loaded_at, load_id in connection.execute(query("operator_files"))
    ]


def with_operator_files(
    connection: Connection[TupleRow], catalogue: published.Catalogue
) -> published.Catalogue:
    """The package's catalogue with the operator's files over it.

    Raises:
        ConfigurationError: they do not fit it any more.
    """
    for kept in read_operator_files(connection):
        catalogue = _with_kept_files(catalogue, kept)
    return catalogue


def _with_kept_files(catalogue: published.Catalogue, kept: OperatorFiles) -> published.Catalogue:
    try:
        return published.with_files(catalogue, kept.files)
    except published.OperatorFilesError as error:
        raise ConfigurationError(
            f"The operator's files {kept.name!r} do not fit this catalogue. Put them right and load them "
            f"again with `canhdich areas load … --name {kept.name!r}`, or take them out with "
            f"`canhdich areas remove {kept.name!r}`.\n{error}"
        ) from error


def unannounced_changes(connection: Connection[TupleRow]) -> dict[int, frozenset[Touched]]:
    """Load -> the counts that it moved, for the loads that are not announced yet."""
    loads: dict[int, set[Touched]] = {}
    for load_id, disease, area_id in connection.execute(query("unannounced_load_changes")):
        touched = loads.setdefault(load_id, set())
        if disease is not None:
            touched.add(Touched(disease, area_id))
    return {load_id: frozenset(touched) for load_id, touched in loads.items()}


def mark_announced(connection: Connection[TupleRow], load_ids: Iterable[int]) -> None:
    """Record that what some loads moved was announced."""
    connection.execute(query("mark_load_announced"), {"load_ids": sorted(load_ids)})


def _load(
    cursor: Cursor[TupleRow],
    catalogue: published.Catalogue,
    package_version: str,
    loaded_by: str,
    advance: Callable[[int], None],
) -> Loaded:
    row = cursor.execute(query("current_catalogue_load")).fetchone()
    if row is None:
        _write_catalogue(cursor, catalogue)
        _start_load(cursor, 1, catalogue.version, package_version, loaded_by)
        return Loaded(1, catalogue.version, True)
    load_id, version = row
    if version == catalogue.version:
        return Loaded(load_id, version, False)
    before = read_catalogue(cursor.connection)
    lost = _losses(cursor, before, catalogue)
    _write_catalogue(cursor, catalogue, lost)
    known_at = _start_load(cursor, load_id + 1, catalogue.version, package_version, loaded_by)
    after = read_catalogue(cursor.connection)
    for statement in STAGING:
        cursor.execute(statement)
    events, cases = refold(cursor, before, after, known_at, advance)
    cursor.execute(
        query("finish_catalogue_load"),
        {"load_id": after.load_id, "refolded_events": events, "refolded_cases": cases},
    )
    cursor.execute(query("cases_of_areas"))
    changes = changes_between(before.areas, after.areas, dict(cursor.fetchall()))
    return Loaded(after.load_id, catalogue.version, True, events, cases, changes)


def refold(
    cursor: Cursor[TupleRow],
    before: Catalogue,
    after: Catalogue,
    known_at: datetime,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[int, int]:
    """Fold again what a load judges otherwise than the one before; how many events and cases that is.

    The tables of the catalogue hold `after` already; the staging tables exist.
    """
    cases = _recount_cases(cursor, before, after, known_at, advance)
    events = _fold_parked(cursor, after, known_at, advance)
    events += fold_parked_reports(cursor, after, known_at)
    if _is_redrawn(before, after):
        cursor.execute("truncate district_totals")
        cursor.execute(query("recompute_district_totals"))
    return events, cases


def _start_load(
    cursor: Cursor[TupleRow], load_id: int, version: str, package_version: str, loaded_by: str
) -> datetime:
    """Record the load and what it put in force.

    Its known_at is not before any event's, and no later event's is before it.
    """
    cursor.execute(
        query("insert_catalogue_load"),
        {
            "load_id": load_id,
            "version": version,
            "package_version": package_version,
            "loaded_by": loaded_by,
        },
    )
    row = cursor.fetchone()
    assert row is not None  # noqa: S101 - insert … returning one row
    known_at: datetime = row[0]
    cursor.execute(query("keep_catalogue_content"), {"load_id": load_id})
    cursor.execute(query("advance_known_at"), {"known_at": known_at})
    return known_at


def _losses(cursor: Cursor[TupleRow], before: Catalogue, catalogue: published.Catalogue) -> list[str]:
    """The areas that the catalogue lacks and that nothing refers to.

    Raises:
        ConfigurationError: it lacks a disease, or an area that events or cases refer to.
    """
    lost_diseases = before.resolves_to.keys() - {disease.code for disease in catalogue.diseases}
    lost_areas = sorted({area.id for area in before.areas} - {area.id for area in catalogue.areas})
    cursor.execute(query("areas_in_use"), {"area_ids": lost_areas})
    used = {area_id for (area_id,) in cursor.fetchall()}
    for what, lost in (("disease", lost_diseases), ("area", used)):
        if lost:
            raise ConfigurationError(
                f"The catalogue lacks {len(lost)} {what}(s) that were published before, e.g. {min(lost)}: "
                "cases refer to them. Close them with a date instead of deleting them."
            )
    return lost_areas


def _is_redrawn(before: Catalogue, after: Catalogue) -> bool:
    return any(
        before.areas.total_id(area.id) != after.areas.total_id(area.id)
        for area in before.areas
        if area.id in after.areas
    )


def _recount_cases(
    cursor: Cursor[TupleRow],
    before: Catalogue,
    after: Catalogue,
    known_at: datetime,
    advance: Callable[[int], None],
) -> int:
    """Count the cases of the diseases whose rules changed; the number of cases whose contribution moved."""
    since_changed = before.case_reports_since.items() ^ after.case_reports_since.items()
    changed = {disease for (disease, _), _ in since_changed} | {
        code for code, resolves_to in before.resolves_to.items() if after.resolves_to[code] != resolves_to
    }
    # A syndrome's case stands in the diseases that it resolved to by their day of the switch, too.
    changed |= {code for code, resolves_to in after.resolves_to.items() if changed & {*resolves_to.values()}}
    cause = Cause(known_at, load_uuid(after.load_id), load_id=after.load_id)
    cursor.execute(query("subjects_of_diseases"), {"diseases": sorted(changed)})
    moved = 0
    for subjects in _batches(subject for (subject,) in cursor.fetchall()):
        rows: list[LedgerRow] = []
        cases = lock_cases(cursor, subjects)
        for subject, case in cases.items():
            rows.extend(recount(case, subject, cause, after))
        moved += len({subject for subject, *_ in rows})
        write_moved(cursor, cases, rows, after)
        _empty_staging(cursor)
        advance(len(subjects))
    return moved


def _fold_parked(
    cursor: Cursor[TupleRow], after: Catalogue, known_at: datetime, advance: Callable[[int], None]
) -> int:
    """Fold the parked events whose codes are known now; how many they were."""
    cursor.execute(query("parked_events"))
    known: list[CaseEvent] = []
    for subject, event_id, event_type, event_time, data in cursor.fetchall():
        judged, _ = judge(kind_of(event_type), subject, event_id, microseconds(event_time), data, after)
        if isinstance(judged, CaseEvent):
            known.append(judged)
    for events in _batches(known):
        causes = [Cause(known_at, event.event_id, load_id=after.load_id) for event in events]
        fold_events(cursor, list(zip(causes, events, strict=True)), after)
        _empty_staging(cursor)
        identities = {"subjects": [e.subject for e in events], "event_ids": [e.event_id for e in events]}
        cursor.execute(query("unpark_events"), identities)
        advance(len(events))
    return len(known)


def _empty_staging(cursor: Cursor[TupleRow]) -> None:
    # They empty themselves at the end of the transaction only.
    cursor.execute("truncate staged_cases, staged_counts, staged_totals")


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _REFOLD_BATCH)):
        yield batch


def _write_catalogue(
    cursor: Cursor[TupleRow], catalogue: published.Catalogue, lost: Sequence[str] = ()
) -> None:
    diseases = [
        (d.code, d.name_vi, d.name_en, d.report_label_vi, order, list(d.agents), Jsonb(d.resolves_to))
        for order, d in enumerate(catalogue.diseases)
    ]
    cursor.executemany(query("upsert_disease"), diseases)

    areas = {area.id: area for area in catalogue.areas}
    cursor.execute("create temporary table staged_areas (like areas) on commit drop")
    with cursor.copy(
        "copy staged_areas (area_id, code, kind, name_vi, parent_id, district_id, province_id, valid_from, "
        "valid_to, latitude, longitude, area_km2) from stdin"
    ) as copy:
        for area in catalogue.areas:
            district_id = district_of(area, areas)
            province_id = province_of(area, areas)
            copy.write_row(
                (
                    area.id,
                    area.code,
                    area.kind,
                    area.name_vi,
                    area.parent_id,
                    district_id,
                    province_id,
                    area.valid_from,
                    area.valid_to,
                    area.latitude,
                    area.longitude,
                    area.area_km2,
                )
            )
    cursor.execute(query("upsert_staged_areas"))
    cursor.execute("truncate area_links, area_geographies, case_reports_since")
    if lost:
        cursor.execute(query("delete_areas"), {"area_ids": list(lost)})
    with cursor.copy("copy area_links (from_id, to_id, kind, is_default) from stdin") as copy:
        for link in catalogue.links:
            copy.write_row((link.from_id, link.to_id, link.kind, link.is_default))

    cursor.execute(query("catalogue_areas"))
    index = AreaIndex(Area(*row) for row in cursor.fetchall())
    links = links_of(catalogue)
    with cursor.copy(
        "copy area_geographies (structure_on, area_id, province_id, district_id, commune_id, province_doubt, "
        "district_doubt, commune_doubt) from stdin"
    ) as copy:
        for placement in placements(index, links, main_districts(catalogue)):
            copy.write_row(placement)
    # All of its rows are new: until they are measured, a province would be taken for a single area.
    cursor.execute("analyze area_geographies")
    for row in catalogue.case_reports_since:
        province = index.resolve(row.province_code, row.since.isoformat())
        if province is None:
            raise ConfigurationError(
                f"case_reports_since: {row.province_code} is no province on {row.since.isoformat()}"
            )
        # Cases of earlier days stand on the provinces that were merged into this one.
        predecessors = [li.from_id for li in links if li.to_id == province.id]
        for province_id in (province.id, *predecessors):
            cursor.execute(
                query("insert_case_reports_since"),
                {"disease": row.disease, "province_id": province_id, "since": row.since},
            )


def links_of(catalogue: published.Catalogue) -> list[Link]:
    """The links of a published catalogue as the domain has them."""
    return [
        Link(li.from_id, li.to_id, li.kind == "whole", li.is_default, li.kind != "assumed")
        for li in catalogue.links
    ]


def main_districts(catalogue: published.Catalogue) -> dict[str, str]:
    """Commune -> the former district that gave most of it."""
    return {row.commune_id: row.district_id for row in catalogue.surveillance if row.district_id is not None}


def province_of(area: published.Area, areas: Mapping[str, published.Area]) -> str:
    """The id of the province that an area lies in (its own, for a province)."""
    while area.parent_id is not None:
        area = areas[area.parent_id]
    return area.id


def district_of(area: published.Area, areas: Mapping[str, published.Area]) -> str | None:
    """The id of the district or surveillance area in which an area's cases are totalled."""
    if area.kind in ("district", "surveillance"):
        return area.id
    if area.kind == "commune":
        parent = areas[area.parent_id] if area.parent_id is not None else None
        return parent.id if parent is not None and parent.kind == "district" else area.surveillance_id
    return None
