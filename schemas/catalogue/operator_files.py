"""What an operator knows better than the package: decrees, catchments, since when case reports are counted.

CSV files, recognised by their headers, are laid over a catalogue: `with_files(catalogue, files)`.
docs/areas.md is the operator's page on them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal, cast

from schemas.catalogue.checks import check_areas
from schemas.catalogue.models import Area, AreaKind, AreaLink, CaseReportsSince, Catalogue, SurveillanceShare

Table = Literal["areas", "area_links", "surveillance_areas", "case_reports_since"]


@dataclass(frozen=True, slots=True)
class _Form:
    """The columns of a file: `marks` tell it from the others."""

    marks: frozenset[str]
    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.needed, *self.optional)


FORMS: Final[Mapping[Table, _Form]] = {
    "areas": _Form(
        frozenset({"code", "kind"}),
        ("code", "kind", "name_vi", "parent_code", "valid_from"),
        ("surveillance_code", "latitude", "longitude", "area_km2"),
    ),
    "area_links": _Form(
        frozenset({"from_code", "to_code"}), ("from_code", "to_code", "on", "kind"), ("is_default",)
    ),
    "surveillance_areas": _Form(
        frozenset({"commune_code", "surveillance_code"}),
        ("commune_code", "surveillance_code"),
        ("surveillance_name", "on"),
    ),
    "case_reports_since": _Form(
        frozenset({"disease", "since"}),
        ("disease", "province_code", "since"),
    ),
}
"""Columns of each file, those that must be there first; any order, others are refused."""

_CODE_LENGTHS: Final[Mapping[str, int]] = {"province": 2, "district": 3, "surveillance": 3, "commune": 5}
_KINDS: Final = ("province", "surveillance", "commune", "district")
_LINK_KINDS: Final = ("whole", "part", "assumed")
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an operator's file, where, and what to do, in both languages.

    `row` is the line as a spreadsheet counts it (the header is 1); 0 where no single row is wrong.
    """

    file: str
    row: int
    column: str
    message_vi: str
    message_en: str


class OperatorFilesError(Exception):
    """Operator's files that cannot be used; nothing of them is loaded.

    Attributes:
        problems: Everything that was found in the step that failed: reading, then what the rows say together.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{p.file}:{p.row}: {p.column}: {p.message_en}" for p in problems))


def with_files(catalogue: Catalogue, files: Mapping[str, str]) -> Catalogue:
    """A catalogue with an operator's files laid over it; its version names both.

    Args:
        catalogue: Of the package, or with earlier files over it.
        files: File name -> its text.

    Raises:
        OperatorFilesError: a file, or what it makes of the catalogue, is wrong.
    """
    merged = _Overlay(catalogue, _read(files)).apply()
    return replace(merged, version=_version(catalogue.version, files))


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 (hexadecimal) of an operator's files, names included."""
    content = hashlib.sha256()
    for file, text in sorted(files.items()):
        for part in (file, text):
            encoded = part.encode()
            content.update(b"%d\n%s\n" % (len(encoded), encoded))
    return content.hexdigest()


def _version(version: str, files: Mapping[str, str]) -> str:
    return hashlib.sha256(f"{version}\n{digest(files)}".encode()).hexdigest()[:16]


# --- reading ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    number: int
    cells: Mapping[str, str]

    def problem(self, column: str, vi: str, en: str) -> Problem:
        return Problem(self.file, self.number, column, vi, en)


@dataclass
class _Tables:
    rows: dict[Table, list[_Row]] = field(default_factory=lambda: {table: [] for table in FORMS})
    problems: list[Problem] = field(default_factory=list)


def _read(files: Mapping[str, str]) -> _Tables:
    tables = _Tables()
    for file, text in sorted(files.items()):
        _read_file(file, unicodedata.normalize("NFC", text.removeprefix("\ufeff")), tables)
    if not files:
        tables.problems.append(Problem("", 0, "", "Không có tệp CSV nào.", "There is no CSV file."))
    if tables.problems:
        raise OperatorFilesError(tables.problems)
    return tables


def _read_file(file: str, text: str, tables: _Tables) -> None:
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().casefold() for name in next(lines, [])]
        table = _table_of(file, header, tables.problems)
        if table is None:
            return
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                vi = f"Dòng có {len(cells)} ô, tiêu đề có {len(header)} cột."
                en = f"The row has {len(cells)} cells, the header {len(header)} columns."
                tables.problems.append(Problem(file, lines.line_num, "", vi, en))
                continue
            row = _Row(file, lines.line_num, {n: c.strip() for n, c in zip(header, cells, strict=True)})
            tables.rows[table].append(row)
            tables.problems.extend(
                row.problem(name, "Bỏ trống: hãy điền.", "It is empty: fill it in.")
                for name in FORMS[table].needed
                if not row.cells[name] and not (name == "parent_code" and row.cells["kind"] == "province")
            )
    except csv.Error as error:
        vi = f"Không phải CSV ({error}): hãy lưu lại dạng CSV UTF-8."
        en = f"It is no CSV ({error}): save it as CSV UTF-8."
        tables.problems.append(Problem(file, lines.line_num, "", vi, en))


def _table_of(file: str, header: Sequence[str], problems: list[Problem]) -> Table | None:
    for table, form in FORMS.items():
        if form.marks <= set(header):
            for name in form.needed:
                if name not in header:
                    problems.append(
                        Problem(file, 1, name, f"Thiếu cột {name}.", f"The column {name} is missing.")
                    )
            for name in header:
                if name not in form.columns or header.count(name) > 1:
                    known = ", ".join(form.columns)
                    vi = f"Cột này không có hoặc lặp lại; các cột là: {known}."
                    en = f"No such column, or it is there twice; the columns are: {known}."
                    problems.append(Problem(file, 1, name, vi, en))
            return table if not any(p.file == file for p in problems) else None
    forms = " | ".join(",".join(form.needed) for form in FORMS.values())
    problems.append(
        Problem(
            file,
            1,
            "",
            f"Không nhận ra tệp này. Tiêu đề phải là một trong: {forms}.",
            f"The file is none of those known. Its header must be one of: {forms}.",
        )
    )
    return None


# --- laying over ------------------------------------------------------------------------------------------


class _Overlay:
    """One application of an operator's files; collects what is wrong and raises it all together."""

    def __init__(self, catalogue: Catalogue, tables: _Tables) -> None:
        self._catalogue = catalogue
        self._rows = tables.rows
        self._problems: list[Problem] = []
        self._areas = {area.id: area for area in catalogue.areas}
        self._by_code: dict[str, list[str]] = defaultdict(list)
        for area in catalogue.areas:
            self._by_code[area.code].append(area.id)
        # from_id -> to_id -> link
        self._links: dict[str, dict[str, AreaLink]] = defaultdict(dict)
        for link in catalogue.links:
            self._links[link.from_id][link.to_id] = link
        self._shares = {share.commune_id: share for share in catalogue.surveillance}
        self._since = {(row.disease, row.province_code): row for row in catalogue.case_reports_since}
        # Areas that begin by these files, and the row that says so.
        self._new: dict[str, _Row] = {}
        # Communes that these files themselves put into a surveillance area.
        self._drawn: set[str] = set()
        self._touched: set[str] = set()

    def apply(self) -> Catalogue:
        self._read_areas()
        self._read_links()
        self._raise()
        days = sorted({cast(date, self._areas[area_id].valid_from) for area_id in self._new})
        for day in days:
            self._go_on(day)
            self._carry_over(day)
        self._raise()
        self._read_surveillance_areas()
        self._read_case_reports_since()
        self._raise()
        self._draw_rest()
        self._link_districts()
        self._raise()
        merged = replace(
            self._catalogue,
            areas=tuple(sorted(self._areas.values(), key=lambda area: area.id)),
            links=tuple(sorted(self._all_links(), key=lambda link: (link.from_id, link.to_id))),
            surveillance=tuple(sorted(self._shares.values(), key=lambda share: share.commune_id)),
            case_reports_since=tuple(
                sorted(self._since.values(), key=lambda row: (row.disease, row.province_code))
            ),
        )
        self._problems.extend(
            Problem(
                "",
                0,
                fault.entry,
                f"Danh mục sau khi ghép không hợp lệ: {fault}.",
                f"What these files make of the catalogue does not hold together: {fault}.",
            )
            for fault in check_areas(merged)
        )
        self._raise()
        return merged

    def _raise(self) -> None:
        if self._problems:
            raise OperatorFilesError(self._problems)

    def _fault(self, row: _Row, column: str, vi: str, en: str) -> None:
        self._problems.append(row.problem(column, vi, en))

    # --- rows ---

    def _read_areas(self) -> None:
        rows: list[tuple[_Row, str, str, date]] = []
        for row in self._rows["areas"]:
            kind = row.cells["kind"]
            if kind not in _KINDS:
                choice = ", ".join(_KINDS)
                self._fault(row, "kind", f"Chỉ nhận: {choice}.", f"Choose from {choice}.")
                continue
            code = self._code(row, "code", _CODE_LENGTHS[kind])
            day = self._day(row, "valid_from")
            if code is not None and day is not None:
                rows.append((row, kind, code, day))
        # A parent may be a row of the same file, also a later one.
        for row, kind, code, day in rows:
            area_id = f"{code}@{day}"
            if area_id in self._new:
                vi, en = "Mã này có hai dòng cùng ngày.", "This code has two rows of the same day."
                self._fault(row, "code", vi, en)
            before = self._areas.get(area_id)
            if before is None:
                self._by_code[code].append(area_id)
            self._new[area_id] = row
            # Of an area that is known already this is a correction: what it does not say stands.
            new = before or Area(area_id, code, cast(AreaKind, kind), "", None, day, None, None, None, None)
            latitude, longitude = self._number(row, "latitude"), self._number(row, "longitude")
            area_km2 = self._number(row, "area_km2")
            self._areas[area_id] = replace(
                new,
                name_vi=row.cells["name_vi"],
                latitude=new.latitude if latitude is None else latitude,
                longitude=new.longitude if longitude is None else longitude,
                area_km2=new.area_km2 if area_km2 is None else area_km2,
            )
        for row, kind, code, day in rows:
            self._read_parents(row, kind, f"{code}@{day}", day)

    def _read_parents(self, row: _Row, kind: str, area_id: str, day: date) -> None:
        if kind != "province":
            lengths = (3, 2) if kind == "commune" else (2,)
            parent_code = self._code(row, "parent_code", *lengths)
            kinds = ("district", "province") if kind == "commune" else ("province",)
            if parent_code is not None:
                parent = self._find(row, "parent_code", parent_code, day, kinds)
                if parent is not None:
                    self._areas[area_id] = replace(self._areas[area_id], parent_id=parent.id)
        if row.cells.get("surveillance_code"):
            code = self._code(row, "surveillance_code", 3)
            if code is not None and kind != "commune":
                vi, en = "Chỉ xã/phường có khu vực.", "Only a commune lies in a surveillance area."
                self._fault(row, "surveillance_code", vi, en)
            elif code is not None:
                found = self._find(row, "surveillance_code", code, day, ("surveillance",))
                if found is not None:
                    self._areas[area_id] = replace(self._areas[area_id], surveillance_id=found.id)
                    self._drawn.add(area_id)

    def _read_links(self) -> None:
        rows: dict[str, list[tuple[_Row, AreaLink, bool]]] = defaultdict(list)
        for row in self._rows["area_links"]:
            day = self._day(row, "on")
            kind = row.cells["kind"]
            if kind not in _LINK_KINDS:
                choice = ", ".join(_LINK_KINDS)
                self._fault(row, "kind", f"Chỉ nhận: {choice}.", f"Choose from {choice}.")
                continue
            says_default = row.cells.get("is_default", "").casefold()
            if says_default not in ("", "true", "false"):
                self._fault(row, "is_default", "Chỉ nhận: true, false.", "Choose from true, false.")
                continue
            from_code, to_code = self._code(row, "from_code", 2, 3, 5), self._code(row, "to_code", 2, 3, 5)
            if day is None or from_code is None or to_code is None:
                continue
            source = self._find(row, "from_code", from_code, day - _ONE_DAY)
            target = self._find(row, "to_code", to_code, day)
            if source is None or target is None:
                continue
            if target.valid_from != day:
                vi = (
                    f"{to_code} có từ trước {day}: thêm một dòng cho nó vào areas.csv với valid_from {day} "
                    "(nó đổi địa giới từ ngày đó)."
                )
                en = (
                    f"{to_code} began before {day}: give it a row in areas.csv with valid_from {day} (it is "
                    "another area from that day on)."
                )
                self._fault(row, "to_code", vi, en)
                continue
            link = AreaLink(
                source.id, target.id, cast(Literal["whole", "part", "assumed"], kind), says_default == "true"
            )
            rows[source.id].append((row, link, says_default != ""))
        for source_id, listed in rows.items():
            self._links[source_id].clear()
            for _, link, is_said in listed:
                is_default = link.is_default or (len(listed) == 1 and not is_said)
                self._links[source_id][link.to_id] = replace(link, is_default=is_default)
                self._end(source_id, cast(date, self._areas[link.to_id].valid_from))

    def _read_surveillance_areas(self) -> None:
        named: dict[str, tuple[str, str]] = {}
        for row in self._rows["surveillance_areas"]:
            code, drawn = self._code(row, "commune_code", 5), self._code(row, "surveillance_code", 3)
            day = self._day(row, "on") if row.cells.get("on") else None
            if code is None or drawn is None or (row.cells.get("on") and day is None):
                continue
            commune = (
                self._latest(row, "commune_code", code)
                if day is None
                else self._find(row, "commune_code", code, day, ("commune",))
            )
            if commune is None:
                continue
            if commune.id in self._drawn and commune.surveillance_id is not None:
                vi, en = (
                    "Xã/phường này đã có khu vực khác.",
                    "The commune is given a surveillance area twice.",
                )
                self._fault(row, "commune_code", vi, en)
                continue
            area = self._surveillance_area(row, drawn, commune)
            if area is None:
                continue
            if name := row.cells.get("surveillance_name"):
                known = named.setdefault(area.id, (name, row.cells["surveillance_code"]))
                if known[0] != name:
                    vi = f"Khu vực {drawn} có hai tên: {known[0]} và {name}."
                    en = f"The surveillance area {drawn} has two names: {known[0]} and {name}."
                    self._fault(row, "surveillance_name", vi, en)
                self._areas[area.id] = replace(self._areas[area.id], name_vi=name)
            self._put_into(commune.id, area.id)
            self._drawn.add(commune.id)

    def _surveillance_area(self, row: _Row, code: str, commune: Area) -> Area | None:
        """The surveillance area of a code for a commune; a new one begins with the commune."""
        day = cast(date, commune.valid_from)
        for area_id in self._by_code[code]:
            area = self._areas[area_id]
            if area.kind == "surveillance" and _is_valid(area, day):
                return area
        if not row.cells.get("surveillance_name"):
            vi = f"Chưa có khu vực {code}: hãy điền tên ở cột surveillance_name."
            en = f"There is no surveillance area {code} yet: give its name in surveillance_name."
            self._fault(row, "surveillance_name", vi, en)
            return None
        province = self._areas[cast(str, commune.parent_id)]
        # It may take in communes that began earlier, so it begins with the province as it is now.
        begins = province.valid_from or day
        area = Area(
            f"{code}@{begins}",
            code,
            "surveillance",
            row.cells["surveillance_name"],
            province.id,
            begins,
            province.valid_to,
            commune.latitude,
            commune.longitude,
            None,
        )
        self._areas[area.id] = area
        self._by_code[code].append(area.id)
        return area

    def _put_into(self, commune_id: str, surveillance_id: str) -> None:
        commune = self._areas[commune_id]
        if commune.surveillance_id is not None:
            self._touched.add(commune.surveillance_id)
        self._touched.add(surveillance_id)
        self._areas[commune_id] = replace(commune, surveillance_id=surveillance_id)
        share = self._shares.get(commune_id)
        self._shares[commune_id] = (
            SurveillanceShare(commune_id, surveillance_id, None, 1.0, False)
            if share is None
            else replace(share, surveillance_id=surveillance_id)
        )

    def _read_case_reports_since(self) -> None:
        seen: set[tuple[str, str]] = set()
        known = {disease.code for disease in self._catalogue.diseases}
        for row in self._rows["case_reports_since"]:
            code, since = self._code(row, "province_code", 2), self._day(row, "since")
            disease = row.cells["disease"]
            if disease not in known:
                self._fault(
                    row, "disease", "Không có bệnh này trong danh mục.", "No such disease in the catalogue."
                )
                continue
            if code is None or since is None:
                continue
            if self._find(row, "province_code", code, since, ("province",)) is None:
                continue
            if (disease, code) in seen:
                vi, en = "Bệnh và tỉnh này có hai dòng.", "This disease and province have two rows."
                self._fault(row, "disease", vi, en)
            seen.add((disease, code))
            self._since[disease, code] = CaseReportsSince(disease, code, since)

    # --- what follows from them ---

    def _end(self, area_id: str, day: date) -> None:
        self._areas[area_id] = replace(self._areas[area_id], valid_to=day - _ONE_DAY)

    def _go_on(self, day: date) -> None:
        """Link the areas whose code simply goes on in a row of this day, and end them."""
        for area_id, row in self._new.items():
            area = self._areas[area_id]
            if area.valid_from != day:
                continue
            before = self._on(area.code, day - _ONE_DAY)
            if before is None:
                if not any(link.to_id == area_id for link in self._all_links()):
                    vi = "Không rõ đơn vị này hình thành từ đâu: thêm dòng vào area_links.csv."
                    en = "Nothing says what this area came from: add a row to area_links.csv."
                    self._fault(row, "code", vi, en)
                continue
            if not self._links[before.id]:
                self._links[before.id][area_id] = AreaLink(before.id, area_id, "whole", True)
                self._end(before.id, day)
            elif before.valid_to is None or before.valid_to >= day:
                vi = f"{area.code} đã có nghĩa khác vào ngày {day}."
                en = f"{area.code} means another area on {day} already."
                self._fault(row, "code", vi, en)

    def _carry_over(self, day: date) -> None:
        """Let what lies in an area that ended go on under its successor, if the files do not mention it."""
        ended = {area.id for area in self._areas.values() if area.valid_to == day - _ONE_DAY}
        while True:
            left = [
                area
                for area in self._areas.values()
                if _is_valid(area, day)
                and (area.parent_id in ended or area.surveillance_id in ended)
                and area.valid_from != day
            ]
            if not left:
                break
            # What lies in both goes on after both have.
            for area in [area for area in left if area.kind != "commune"] or left:
                parent_id = self._successor(area, area.parent_id, ended)
                surveillance_id = self._successor(area, area.surveillance_id, ended)
                if self._problems:
                    return
                next_id = f"{area.code}@{day}"
                self._areas[next_id] = replace(
                    area, id=next_id, valid_from=day, parent_id=parent_id, surveillance_id=surveillance_id
                )
                self._by_code[area.code].append(next_id)
                later = self._links.pop(area.id, {})
                self._links[next_id] = {to: replace(link, from_id=next_id) for to, link in later.items()}
                self._links[area.id] = {next_id: AreaLink(area.id, next_id, "whole", True)}
                if (share := self._shares.get(area.id)) is not None and surveillance_id is not None:
                    self._shares[next_id] = replace(
                        share, commune_id=next_id, surveillance_id=surveillance_id
                    )
                self._end(area.id, day)
                ended.add(area.id)
        for area in list(self._areas.values()):
            # Rows that name what went on by itself only now.
            if area.valid_from == day and ended & {area.parent_id, area.surveillance_id}:
                self._areas[area.id] = replace(
                    area,
                    parent_id=self._successor(area, area.parent_id, ended),
                    surveillance_id=self._successor(area, area.surveillance_id, ended),
                )

    def _successor(self, area: Area, outer_id: str | None, ended: set[str]) -> str | None:
        """What an area lies in from now on, when what it lay in has ended."""
        if outer_id is None or outer_id not in ended:
            return outer_id
        kind = self._areas[outer_id].kind
        targets = [to for to in self._links[outer_id] if self._areas[to].kind == kind]
        if len(targets) != 1:
            vi = (
                f"{area.name_vi} ({area.code}) thuộc {outer_id}, đã chia: thêm một dòng cho nó vào areas.csv."
            )
            en = f"{area.name_vi} ({area.code}) lay in {outer_id}, which was split: give it a row of its own."
            self._problems.append(Problem("areas.csv", 0, "code", vi, en))
            return None
        return targets[0]

    def _draw_rest(self) -> None:
        """Put new communes without a surveillance area into the one that gave most of them."""
        for area_id, row in self._new.items():
            area = self._areas[area_id]
            parent = self._areas.get(area.parent_id or "")
            if area.kind != "commune" or parent is None or parent.kind == "district":
                continue
            if area.surveillance_id is not None:
                self._shares.setdefault(
                    area_id, SurveillanceShare(area_id, area.surveillance_id, None, 1.0, False)
                )
                continue
            given: Counter[str] = Counter()
            land: Counter[str] = Counter()
            for link in self._all_links():
                source = self._areas[link.from_id]
                if link.to_id == area_id and source.surveillance_id is not None:
                    drawn = self._valid_successor(source.surveillance_id, cast(date, area.valid_from))
                    if drawn is not None and self._areas[drawn].parent_id == area.parent_id:
                        given[drawn] += 1
                        land[drawn] += round(1000 * (source.area_km2 or 0))
            if not given:
                vi = "Không rõ xã/phường này thuộc khu vực nào: điền surveillance_code."
                en = "Nothing says in which surveillance area this commune lies: fill in surveillance_code."
                self._fault(row, "surveillance_code", vi, en)
                continue
            best = max(given.values())
            leaders = [drawn for drawn, count in given.items() if count == best]
            chosen = min(leaders, key=lambda drawn: (-land[drawn], drawn))
            self._areas[area_id] = replace(area, surveillance_id=chosen)
            share = round(best / given.total(), 4)
            self._shares[area_id] = SurveillanceShare(area_id, chosen, None, share, len(leaders) > 1)

    def _valid_successor(self, area_id: str, day: date) -> str | None:
        while not _is_valid(self._areas[area_id], day):
            targets = [link.to_id for link in self._links[area_id].values() if link.is_default]
            if not targets:
                return None
            area_id = targets[0]
        return area_id

    def _link_districts(self) -> None:
        """Link every former district again to the surveillance areas that hold its communes now."""
        if not self._touched:
            return
        parts = Counter(
            link.from_id for link in self._all_links() if self._areas[link.to_id].kind == "commune"
        )
        districts: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        for link in self._all_links():
            source, target = self._areas[link.from_id], self._areas[link.to_id]
            # An island district without communes became a commune itself.
            district_id = source.id if source.kind == "district" else source.parent_id
            if (
                target.kind == "commune"
                and target.surveillance_id is not None
                and district_id is not None
                and self._areas[district_id].kind == "district"
            ):
                districts[district_id][target.surveillance_id] += Fraction(1, parts[source.id])
        for district_id, held in districts.items():
            code = self._areas[district_id].code
            links = self._links[district_id]
            linked = [to_id for to_id in links if self._areas[to_id].kind == "surveillance"]
            if not self._touched & {*held, *linked}:
                continue
            for to_id in linked:
                del links[to_id]
            ordered = sorted(held, key=lambda to: (-held[to], self._areas[to].code != code, to))
            for to_id in ordered:
                kind: Literal["whole", "part"] = "whole" if len(ordered) == 1 else "part"
                links[to_id] = AreaLink(district_id, to_id, kind, to_id == ordered[0])

    def _all_links(self) -> list[AreaLink]:
        return [link for links in self._links.values() for link in links.values()]

    # --- cells ---

    def _code(self, row: _Row, column: str, *lengths: int) -> str | None:
        """A code with the zeros that a spreadsheet took away."""
        text = row.cells[column]
        if text == "":
            return None
        if text.isascii() and text.isdigit() and len(text) <= max(lengths):
            return text.zfill(min(length for length in lengths if length >= len(text)))
        digits = "/".join(map(str, lengths))
        vi = f"{text!r} không phải mã {digits} chữ số."
        self._fault(row, column, vi, f"{text!r} is no code of {digits} digits.")
        return None

    def _day(self, row: _Row, column: str) -> date | None:
        text = row.cells[column]
        if text == "":
            return None
        try:
            if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
                return date(int(found[3]), int(found[2]), int(found[1]))
            return date.fromisoformat(text)
        except ValueError:
            vi = f"{text!r} không phải ngày: viết như 2026-04-30 hoặc 30/04/2026."
            self._fault(row, column, vi, f"{text!r} is no day: write it like 2026-04-30 or 30/04/2026.")
            return None

    def _number(self, row: _Row, column: str) -> float | None:
        text = row.cells.get(column, "").replace(",", ".")
        if text == "":
            return None
        low, high = {"latitude": (6, 24), "longitude": (102, 118), "area_km2": (0, 20_000)}[column]
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            vi = f"{text!r} phải là số từ {low} đến {high}."
            self._fault(row, column, vi, f"{text!r} must be a number from {low} to {high}.")
            return None
        return number

    # --- areas ---

    def _on(self, code: str, day: date, kinds: Sequence[str] = _KINDS) -> Area | None:
        for area_id in self._by_code.get(code, ()):
            area = self._areas[area_id]
            if area.kind in kinds and _is_valid(area, day) and not self._is_replaced(area, day):
                return area
        return None

    def _is_replaced(self, area: Area, day: date) -> bool:
        """Whether a row of these files gives the area's code another meaning on that day."""
        return any(
            other.id in self._new and other.valid_from is not None and _begins(area) < other.valid_from <= day
            for other in (self._areas[area_id] for area_id in self._by_code[area.code])
        )

    def _find(
        self, row: _Row, column: str, code: str, day: date, kinds: Sequence[str] = _KINDS
    ) -> Area | None:
        found = self._on(code, day, kinds)
        if found is None:
            known = ", ".join(
                f"{area.name_vi} ({area.valid_from or '…'} – {area.valid_to or '…'})"
                for area in (self._areas[area_id] for area_id in self._by_code.get(code, ()))
            )
            vi = f"Mã {code} không có nghĩa vào ngày {day}" + (f"; có: {known}." if known else ".")
            en = f"The code {code} means nothing on {day}" + (f"; there is: {known}." if known else ".")
            self._fault(row, column, vi, en)
        return found

    def _latest(self, row: _Row, column: str, code: str) -> Area | None:
        communes = [
            area
            for area in (self._areas[area_id] for area_id in self._by_code.get(code, ()))
            if area.kind == "commune"
        ]
        if not communes or (latest := max(communes, key=_begins)).valid_to is not None:
            vi = f"Hiện không có xã/phường mã {code}."
            self._fault(row, column, vi, f"No commune has the code {code} now.")
            return None
        return latest


def _begins(area: Area) -> date:
    return area.valid_from or date.min


def _is_valid(area: Area, day: date) -> bool:
    return _begins(area) <= day and (area.valid_to is None or day <= area.valid_to)
