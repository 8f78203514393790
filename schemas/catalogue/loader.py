"""Read, validate and check the catalogue's files.

Three steps, each of which reports all that it finds before the next one runs: read the files, validate every
entry by itself, check the entries against each other (checks.py).
"""

from __future__ import annotations

import csv
import gc
import hashlib
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from schemas.catalogue.checks import check
from schemas.catalogue.errors import CatalogueError, Fault
from schemas.catalogue.models import (
    Agent,
    Area,
    AreaLink,
    CaseReportsSince,
    Catalogue,
    Disease,
    LegalRule,
    SurveillanceShare,
    Text,
)
from schemas.strict_yaml import load_yaml


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True, slots=True)
class _DiseaseFile:
    sources: dict[str, Text]
    agents: tuple[Agent, ...]
    diseases: tuple[Disease, ...]


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True, slots=True)
class _RuleFile:
    rules: tuple[LegalRule, ...]


# The rows of every CSV file are instances of one class: its fields are the columns, in the same order.
_TABLES: dict[str, type] = {
    "areas.csv": Area,
    "area_links.csv": AreaLink,
    "surveillance_areas.csv": SurveillanceShare,
    "case_reports_since.csv": CaseReportsSince,
}
_DOCUMENTS: dict[str, type] = {"diseases.yaml": _DiseaseFile, "legal_rules.yaml": _RuleFile}


@cache
def _adapters() -> dict[str, TypeAdapter[Any]]:
    """Made when a catalogue is loaded: they take longer than all else that importing this package does."""
    return {
        **{file: TypeAdapter(tuple[row, ...]) for file, row in _TABLES.items()},  # type: ignore[valid-type]
        **{file: TypeAdapter(document) for file, document in _DOCUMENTS.items()},
    }


_FROZEN_CODES = "frozen_codes.txt"


def load_catalogue(directory: Path | None = None) -> Catalogue:
    """Load the disease and area catalogue.

    Args:
        directory: Folder that holds all the files; None: the one that comes with this package.

    Raises:
        CatalogueError: a file is missing or wrong; it names file, entry and fault, all of one step together.
    """
    collecting = gc.isenabled()
    # Nothing here becomes garbage in cycles, but thirty thousand new objects make the collector look for some
    # again and again: a third of the time.
    gc.disable()
    try:
        return _load(Path(__file__).parent if directory is None else directory)
    finally:
        if collecting:
            gc.enable()


def _load(directory: Path) -> Catalogue:
    texts = _read(directory)
    raw = _parse(texts)
    canonical = {file: orjson.dumps(raw[file], option=orjson.OPT_SORT_KEYS) for file in sorted(raw)}
    parts = _validate(raw, canonical)
    digest = hashlib.sha256()
    for file, content in canonical.items():
        digest.update(b"%s\n%s\n" % (file.encode(), content))
    diseases: _DiseaseFile = parts["diseases.yaml"]
    rules: _RuleFile = parts["legal_rules.yaml"]
    catalogue = Catalogue(
        version=digest.hexdigest()[:16],
        diseases=diseases.diseases,
        areas=parts["areas.csv"],
        links=parts["area_links.csv"],
        case_reports_since=parts["case_reports_since.csv"],
        agents=diseases.agents,
        surveillance=parts["surveillance_areas.csv"],
        legal_rules=rules.rules,
        sources=diseases.sources,
    )
    lines = (line.strip() for line in texts[_FROZEN_CODES].splitlines())
    faults = check(catalogue, (line for line in lines if line and not line.startswith("#")))
    if faults:
        raise CatalogueError(faults)
    return catalogue


def _read(directory: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for file in (*_DOCUMENTS, *_TABLES, _FROZEN_CODES):
        try:
            text = (directory / file).read_bytes().decode("utf-8")
        except OSError as error:
            faults.append(Fault(file, "the file", f"cannot be read: {error.strerror or error}"))
            continue
        except UnicodeDecodeError as error:
            faults.append(Fault(file, f"byte {error.start}", "is not UTF-8: save the file as UTF-8"))
            continue
        if text.startswith("\ufeff"):
            faults.append(Fault(file, "line 1", "starts with a byte order mark: save the file without it"))
        if not unicodedata.is_normalized("NFC", text):
            faults.append(Fault(file, "the file", "holds decomposed letters: normalise it to NFC"))
        texts[file] = text
    if faults:
        raise CatalogueError(faults)
    return texts


def _parse(texts: dict[str, str]) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    faults: list[Fault] = []
    for file in _DOCUMENTS:
        try:
            raw[file] = load_yaml(texts[file])
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            faults.append(Fault(file, f"line {line}", error.problem or "is not YAML"))
    for file, row in _TABLES.items():
        raw[file] = _rows(file, texts[file], row, faults)
    if faults:
        raise CatalogueError(faults)
    return raw


def _rows(file: str, text: str, row: type, faults: list[Fault]) -> list[dict[str, Any]]:
    if "\r" in text:
        faults.append(Fault(file, "the file", "has Windows line ends: save it with LF"))
        return []
    columns = [field.name for field in fields(row)]
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[str, Any]] = []
    previous: list[str] = []
    try:
        header = next(lines, [])
        if header != columns:
            faults.append(Fault(file, "line 1", f"the header must be {','.join(columns)}"))
            return []
        for cells in lines:
            if len(cells) != len(columns):
                fault = f"has {len(cells)} values for {len(columns)} columns"
                faults.append(Fault(file, f"line {lines.line_num}", fault))
                continue
            if cells[:2] < previous[:2]:
                faults.append(Fault(file, f"line {lines.line_num}", "is out of order: sort the file"))
            previous = cells
            rows.append({name: cell or None for name, cell in zip(columns, cells, strict=True)})
    except csv.Error as error:
        faults.append(Fault(file, f"line {lines.line_num}", str(error)))
    return rows


def _validate(raw: dict[str, Any], canonical: dict[str, bytes]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    faults: list[Fault] = []
    for file, adapter in _adapters().items():
        try:
            parts[file] = adapter.validate_json(canonical[file])
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_context=False):
                faults.append(_fault(file, raw[file], problem["loc"], problem["msg"], problem["input"]))
    if faults:
        raise CatalogueError(faults)
    return parts


_LONGEST_SHOWN = 60


def _fault(file: str, raw: Any, loc: Sequence[int | str], message: str, value: Any) -> Fault:
    """Name the entry that an error is about: by its code or id where it has one, else by its place."""
    entry = "the file"
    for depth, step in enumerate(loc):
        if not isinstance(step, int):
            continue
        item = raw
        for inner in loc[: depth + 1]:
            item = item[inner]
        code = item.get("code") or item.get("id") if isinstance(item, dict) else None
        if file in _TABLES:
            entry = f"line {step + 2}" + (f" ({item['id']})" if item.get("id") else "")
        else:
            entry = f"{str(loc[0]).removesuffix('s')} " + (f"'{code}'" if code else f"number {step + 1}")
        loc = loc[depth + 1 :]
        break
    shown = str(value)
    shown = shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + "…"
    where = ".".join(str(step) for step in loc)
    return Fault(file, entry, f"{where}{': ' if where else ''}{message} (got {shown!r})")
