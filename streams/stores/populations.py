"""Populations in TimescaleDB: what the package and the operator state, and what follows from it for any
area."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.areas import Area, AreaIndex, code_of
from streams.domain.calendar import Period
from streams.domain.errors import ConfigurationError
from streams.domain.populations import Known, Leaf, Level, NotKnown, Population, Populations
from streams.stores.catalogue import current_load_id
from streams.stores.counts import area_id_of, areas_of_codes, structure_in_force
from streams.stores.database import connect, errors_translated

MOST: Final = 200_000_000
"""Twice the country: a larger figure is a slip of the keyboard."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One row of a file: the code meant what it meant on `area_on`; `row` is its number as Excel shows it."""

    row: int
    area_code: str
    area_on: date
    year: int
    population: int
    source: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row, for staff."""

    row: int
    field: str
    message_vi: str
    message_en: str


class RowsRefused(ConfigurationError):
    """Some rows of a file are wrong; nothing of it was loaded."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        listed = "\n".join(f"row {fault.row}, {fault.field}: {fault.message_en}" for fault in faults)
        super().__init__(f"The file of populations has {len(self.faults)} wrong row(s):\n{listed}")


@dataclass(frozen=True, slots=True)
class PopulationLoad:
    """One load; `file_name` and `file_sha256` (hexadecimal) of the operator's file, None where there is
    none."""

    id: int
    loaded_at: datetime
    loaded_by: str
    packaged_version: str
    file_name: str | None
    file_sha256: str | None


@dataclass(frozen=True, slots=True)
class OperatorFile:
    """A file of the operator's, which takes the place of the one before it."""

    name: str
    sha256: bytes
    rows: Sequence[Stated]


def current_load(connection: Connection[TupleRow]) -> PopulationLoad | None:
    """The load in force; None where there never was one."""
    row = connection.execute(query("population_load")).fetchone()
    return None if row is None else PopulationLoad(*row)


def load_packaged(
    connection: Connection[TupleRow], version: str, rows: Sequence[Stated], loaded_by: str
) -> PopulationLoad:
    """Put the package's figures in force, if they are new; the operator's own stay.

    Raises:
        RowsRefused: a row is wrong.
    """
    with connection.transaction():
        connection.execute("lock table population_loads in exclusive mode")
        before = current_load(connection)
        if before is not None and before.packaged_version == version:
            return before
        areas = _areas(connection)
        packaged = _resolved(rows, areas)
        stated = {} if before is None else _of_load(connection, before.id, False)
        file_name = None if before is None else before.file_name
        sha256 = None if before is None or before.file_sha256 is None else bytes.fromhex(before.file_sha256)
        return _insert(connection, version, file_name, sha256, loaded_by, packaged, stated)


def load_file(connection: Connection[TupleRow], file: OperatorFile, loaded_by: str) -> PopulationLoad:
    """Put an operator's file in force, beside the package's figures and before them.

    Raises:
        RowsRefused: rows are wrong, contradict each other or the package; nothing was loaded.
    """
    with connection.transaction():
        connection.execute("lock table population_loads in exclusive mode")
        before = current_load(connection)
        areas = _areas(connection)
        packaged = {} if before is None else _of_load(connection, before.id, True)
        stated = _resolved(file.rows, areas)
        row_of = {(_area_of(row, areas), row.year): row.row for row in file.rows}
        _refuse_sums(packaged | stated, row_of, areas)
        version = "" if before is None else before.packaged_version
        return _insert(connection, version, file.name, file.sha256, loaded_by, packaged, stated)


def read_stated(connection: Connection[TupleRow]) -> list[dict[str, Any]]:
    """Every figure in force, with its area's id, name, province and validity, its source, and whose it is."""
    load = current_load(connection)
    if load is None:
        return []
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(query("stated_populations"), {"population_load_id": load.id, "province_ids": None})
        # The operator's comes after the package's of the same area and year.
        return list({(row["area_id"], row["year"]): row for row in cursor}.values())


def read_estimates(
    connection: Connection[TupleRow], level: Level, on: date, province: str | None
) -> list[dict[str, Any]]:
    """The population of every area of a level in the year of a day, in the structure of that day.

    Args:
        connection: Where to read.
        level: Which areas.
        on: The day.
        province: Code; None: every province.

    Returns:
        Rows with the area's code, name, the year, population (None where it is not known) and marks.

    Raises:
        ConfigurationError: no province had this code then.
    """
    structure_on = structure_in_force(connection, on)
    province_id = area_id_of(areas_of_codes(connection, (province,)), "province", province, on)
    load = current_load(connection)
    populations = read_populations(connection, structure_on, province_id, None if load is None else load.id)
    names = {area.id: area.name_vi for area in _areas(connection)}
    rows = []
    for area_id in populations.shown(level, province_id):
        found = populations.of(level, area_id, Period(on, on))
        rows.append(
            {
                "area": code_of(area_id),
                "area_name": names[area_id],
                "year": on.year,
                "population": round(found.value) if isinstance(found, Population) else None,
                "population_marks": sorted(found.marks) if isinstance(found, Population) else [],
            }
        )
    return rows


def read_populations(
    connection: Connection[TupleRow],
    structure_on: date,
    province_id: str | None,
    population_load_id: int | None,
) -> Populations:
    """The populations of the areas of a province (None: of every province), as a structure shows them.

    Args:
        connection: Where to read.
        structure_on: The day on which the structure came into force.
        province_id: In that structure.
        population_load_id: Which load; None: nothing is stated.
    """
    leaves = [
        Leaf(area_id, province, district, valid_from, valid_to, tuple(places[:3]), tuple(places[3:]))
        for area_id, province, district, valid_from, valid_to, *places in connection.execute(
            query("population_leaves"),
            {"structure_on": structure_on, "province_id": province_id},
            prepare=False,
        )
    ]
    known: list[Known] = []
    if population_load_id is not None:
        parameters = {
            "population_load_id": population_load_id,
            "province_ids": sorted({leaf.province_id for leaf in leaves}),
        }
        # Of one area and year the last one stands: the operator's.
        known = [Known(*row[:5]) for row in connection.execute(query("stated_populations"), parameters)]
    return Populations(leaves, known, structure_on.isoformat())


class PostgresPopulations:
    """The population of an area on a day, in the area's own structure.

    What was read of the areas and of a province is remembered until one of the loads is another: a watcher
    asks about one area after the other.
    """

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._read_of: tuple[int | None, int] | None = None
        self._areas = AreaIndex(())
        self._provinces: dict[tuple[str, date], Populations] = {}

    def population(self, area_id: str, on: date) -> int | None:
        """How many people live in an area in the year of a day; None where it is not known.

        Raises:
            DependencyDown: the database does not answer.
        """
        with errors_translated(), connect(self._database_url) as connection:
            load = current_load(connection)
            if load is None:
                return None
            read_of = (current_load_id(connection), load.id)
            if read_of != self._read_of:
                self._areas, self._provinces, self._read_of = _areas(connection), {}, read_of
            if area_id not in self._areas:
                return None
            area = self._areas[area_id]
            day = on.isoformat()
            day = min(max(day, area.valid_from or day), area.valid_to or day)
            structure_on = structure_in_force(connection, date.fromisoformat(day))
            province = (area.province_id, structure_on)
            if province not in self._provinces:
                self._provinces[province] = read_populations(
                    connection, structure_on, area.province_id, load.id
                )
            level: Level = "district" if area.kind == "surveillance" else area.kind
            found = self._provinces[province].of(level, area_id, Period(on, on))
            return None if isinstance(found, NotKnown) else round(found.value)


_Figures = dict[tuple[str, int], tuple[int, str]]
"""(area id, year) -> population, source."""


def _areas(connection: Connection[TupleRow]) -> AreaIndex:
    return AreaIndex(Area(*row) for row in connection.execute(query("catalogue_areas")))


def _of_load(connection: Connection[TupleRow], load_id: int, is_packaged: bool) -> _Figures:
    rows = connection.execute(
        query("stated_populations"), {"population_load_id": load_id, "province_ids": None}
    )
    return {(row[0], row[3]): (row[4], row[5]) for row in rows if row[6] == is_packaged}


def _insert(
    connection: Connection[TupleRow],
    packaged_version: str,
    file_name: str | None,
    file_sha256: bytes | None,
    loaded_by: str,
    packaged: _Figures,
    stated: _Figures,
) -> PopulationLoad:
    row = connection.execute(
        query("insert_population_load"),
        {
            "loaded_by": loaded_by,
            "packaged_version": packaged_version,
            "file_name": file_name,
            "file_sha256": file_sha256,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - insert … returning one row
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy populations (population_load_id, area_id, year, population, source, is_packaged) from stdin"
        ) as copy,
    ):
        for figures, is_packaged in ((packaged, True), (stated, False)):
            for (area_id, year), (population, source) in figures.items():
                copy.write_row((row[0], area_id, year, population, source, is_packaged))
    load = current_load(connection)
    assert load is not None  # noqa: S101 - just inserted
    return load


def _area_of(row: Stated, areas: AreaIndex) -> str | None:
    day = row.area_on.isoformat()
    area = areas.resolve(row.area_code, day)
    if area is None:
        # A surveillance area has the code of a former district, and is not found by official codes.
        here = (
            a for a in areas if a.code == row.area_code and a.kind == "surveillance" and a.is_valid_on(day)
        )
        area = next(here, None)
    return None if area is None else area.id


def _resolved(rows: Iterable[Stated], areas: AreaIndex) -> _Figures:
    """The figures by area and year.

    Raises:
        RowsRefused: a code meant nothing on its day, or an area has two figures of a year.
    """
    faults = []
    first: dict[tuple[str, int], int] = {}
    figures: _Figures = {}
    for row in rows:
        area_id = _area_of(row, areas)
        if area_id is None:
            faults.append(_unknown_area(row, areas))
            continue
        key = (area_id, row.year)
        if key in figures:
            faults.append(
                Fault(
                    row.row,
                    "year",
                    f"Địa bàn {row.area_code} đã có dân số năm {row.year} ở dòng {first[key]}: giữ một dòng.",
                    f"{row.area_code} has a population of {row.year} in row {first[key]} too: keep one row.",
                )
            )
            continue
        first[key] = row.row
        figures[key] = (row.population, row.source)
    if faults:
        raise RowsRefused(faults)
    return figures


def _unknown_area(row: Stated, areas: AreaIndex) -> Fault:
    others = sorted(
        f"{a.name_vi} ({a.valid_from or '…'} – {a.valid_to or '…'})" for a in areas if a.code == row.area_code
    )
    there = "; ".join(others)
    vi = (
        f"Mã này dùng cho: {there}. Sửa area_on." if others else "Mã này chưa từng dùng: kiểm tra số 0 ở đầu."
    )
    en = (
        f"The code was used for {there}: correct area_on."
        if others
        else "No area ever had this code: look at its leading zeros."
    )
    return Fault(
        row.row,
        "area_code",
        f"Không có địa bàn mã {row.area_code} vào ngày {row.area_on:%d/%m/%Y}. {vi}",
        f"No area had the code {row.area_code} on {row.area_on.isoformat()}. {en}",
    )


def _refuse_sums(figures: _Figures, row_of: Mapping[tuple[str | None, int], int], areas: AreaIndex) -> None:
    """Refuse parts that add up to more people than the whole has in the same year.

    Raises:
        RowsRefused: it names the last row of the parts.
    """
    sums: dict[tuple[str, str, int], list[tuple[str, int]]] = {}
    for (area_id, year), (population, _) in figures.items():
        area = areas[area_id]
        for parent_id in {area.district_id, area.province_id} - {None, area_id}:
            if parent_id is not None and (parent_id, year) in figures:
                parent = areas[parent_id]
                day = Known(parent_id, parent.valid_from, parent.valid_to, year, 1).day
                if area.is_valid_on(day):
                    sums.setdefault((parent_id, area.kind, year), []).append((area_id, population))
    faults = []
    for (parent_id, _, year), parts in sums.items():
        whole, together = figures[parent_id, year][0], sum(population for _, population in parts)
        if together > whole:
            rows = [row_of.get((area_id, year), 0) for area_id, _ in (*parts, (parent_id, 0))]
            name = areas[parent_id].name_vi
            faults.append(
                Fault(
                    max(rows),
                    "population",
                    f"Các phần của {name} năm {year} cộng lại có {together} người, nhiều hơn tổng {whole} "
                    "người: sửa các phần hoặc tổng.",
                    f"The parts of {name} have {together} people in {year}, more than the whole ({whole}): "
                    "correct the parts or the whole.",
                )
            )
    if faults:
        raise RowsRefused(faults)
