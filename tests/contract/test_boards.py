"""The generated boards: what Grafana would show wrongly, or not at all, without a word; each check rejects.

The rules are our own, after Grafana's documentation of the JSON model of dashboards, of the PostgreSQL data
source and of the panels' options.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "dashboards" / "generated"
LANGUAGES = ("vi", "en")
BOARDS = ("overview", "disease", "area", "alerts", "quality")
VIEWS = {path.name.split(".")[1] for path in (ROOT / "schemas" / "sql" / "views").glob("*.sql")}

KINDS = {
    "barchart", "bargauge", "geomap", "heatmap", "histogram", "stat", "statetimeline", "table", "timeseries",
    "trend", "xychart",
}  # fmt: skip
UNITS = {"short", "none", "percent", "percentunit", "dtdhms", "locale"}
"""Those whose values read the same in both languages: `s` or `dateTimeFromNow` speak English, and
`dateTimeAsLocal` writes days as the reader's browser does."""
NUMERIC = {"stat", "timeseries", "bargauge", "barchart", "histogram"}
"""Kinds whose numbers have no column title: their unit is set."""
PROPERTIES = {
    "unit",
    "min",
    "max",
    "decimals",
    "displayName",
    "color",
    "noValue",
    "links",
    "mappings",
    "thresholds",
}
BUILT_IN = {"__url_time_range", "__data", "__value", "__field", "__series", "__interval", "__from", "__to"}
MACROS = {
    "__timeFrom",
    "__timeTo",
    "__timeFilter",
    "__timeGroup",
    "__timeGroupAlias",
    "__interval",
    "__interval_ms",
}

_VARIABLE = re.compile(r"\$\{(\w+)(?:[.:}])")
_LETTERS_OF_VI = re.compile(
    r"[àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ]", re.IGNORECASE
)


def faults(board: dict[str, Any], language: str, uids: set[str]) -> Iterator[str]:
    """Everything that is wrong with one board."""
    if board.get("uid") not in uids or not board["uid"].endswith(f"-{language}"):
        yield f"uid {board.get('uid')!r}"
    if board.get("editable") is not False:
        yield "people could save over it"
    if board.get("timezone") != "Asia/Ho_Chi_Minh" or board.get("weekStart") != "monday":
        yield "days and weeks are those of Viet Nam"
    if not re.fullmatch(r"\d+(m|h)", str(board.get("refresh"))):
        yield f"refresh {board.get('refresh')!r}"
    variables = [variable["name"] for variable in board["templating"]["list"]]
    yield from (f"two variables {name}" for name in set(variables) if variables.count(name) > 1)
    for place, variable in enumerate(board["templating"]["list"]):
        where = f"variable {variable['name']}"
        yield from query_faults(variable["query"], where, set(variables[:place]))
        if variable.get("datasource", {}).get("uid") != "surveillance":
            yield f"{where} asks another data source"
        if "__text" not in variable["query"] or "__value" not in variable["query"]:
            yield f"{where} has no __text and __value"
        if variable.get("allValue") and not re.fullmatch(r"'\w+'", variable["allValue"]):
            yield f"{where}: the value of All goes into SQL as it stands: {variable['allValue']}"
    for annotation in board["annotations"]["list"]:
        where = f"annotation {annotation['name']}"
        sql = annotation["target"]["rawSql"]
        yield from query_faults(sql, where, set(variables))
        if not {"time", "text"} <= set(re.findall(r"\bAS (\w+)", sql)):
            yield f"{where} has no columns time and text"
        if "FROM" in sql and "LIMIT" not in sql:
            yield f"{where} has no LIMIT"
    yield from grid_faults(board["panels"])
    ids = [panel["id"] for panel in board["panels"]]
    yield from (f"two panels have the id {number}" for number in set(ids) if ids.count(number) > 1)
    if not 5 <= len(board["panels"]) <= 20:
        yield f"{len(board['panels'])} panels on one board"
    for panel in board["panels"]:
        yield from panel_faults(panel, language, set(variables), uids)


def panel_faults(panel: dict[str, Any], language: str, variables: set[str], uids: set[str]) -> Iterator[str]:
    """Everything that is wrong with one panel."""
    where = f"{panel['id']} {panel.get('title')}"
    if panel["type"] not in KINDS:
        yield f"{where}: no kind {panel['type']}"
    if not panel.get("title"):
        yield f"{where}: no title"
    description = panel.get("description", "")
    if "?" not in description:
        yield f"{where}: its description asks no question"
    if language == "vi" and not _LETTERS_OF_VI.search(description):
        yield f"{where}: its description is not in Vietnamese"
    if language == "en" and _LETTERS_OF_VI.search(description):
        yield f"{where}: its description is not in English"
    pages = re.findall(r"\]\(/public/canhdich/(docs/[\w/-]+\.md)\)", description)
    if not pages:
        yield f"{where}: its description links to no page"
    yield from (f"{where}: there is no {page}" for page in pages if not (ROOT / page).exists())
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    if not defaults.get("noValue"):
        yield f"{where}: nothing is shown where nothing is found"
    if panel["type"] in NUMERIC and not defaults.get("unit"):
        yield f"{where}: no unit"
    units = [defaults.get("unit")]
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        for prop in override["properties"]:
            if prop["id"] not in PROPERTIES and not prop["id"].startswith("custom."):
                yield f"{where}: no property {prop['id']}"
            if prop["id"] == "unit":
                units.append(prop["value"])
    yield from (f"{where}: no unit {unit}" for unit in units if unit and not _is_unit(unit))
    if not panel.get("targets"):
        yield f"{where}: no query"
    refs = [target.get("refId") for target in panel.get("targets", ())]
    yield from (f"{where}: two queries {ref}" for ref in set(refs) if refs.count(ref) > 1)
    for target in panel.get("targets", ()):
        sql = target.get("rawSql", "")
        if target.get("datasource", {}).get("uid") != "surveillance":
            yield f"{where}: another data source"
        if target.get("format") not in ("table", "time_series"):
            yield f"{where}: format {target.get('format')!r}"
        if target.get("format") == "time_series" and not re.search(r"ORDER BY (1|time)\b", sql):
            yield f"{where}: points are not in order"
        if target.get("format") == "time_series" and not re.search(
            r"\bAS time\b|AS \"time\"|GroupAlias", sql
        ):
            yield f"{where}: no column time"
        if panel["type"] == "table" and "LIMIT" not in sql and "GROUP BY" not in sql and "WHERE" not in sql:
            yield f"{where}: a table without LIMIT"
        yield from query_faults(sql, where, variables)
    text = json.dumps(panel)
    yield from (
        f"{where}: no variable {name}" for name in set(_VARIABLE.findall(text)) - variables - BUILT_IN
    )
    for uid in re.findall(r"/d/([\w-]+)/", text):
        if uid not in uids or not uid.endswith(f"-{language}"):
            yield f"{where}: links to {uid}"
    if re.search(r"https?://", text):
        yield f"{where}: asks something of the outside"


def _is_unit(unit: str) -> bool:
    return unit in UNITS or unit.startswith(("time:DD/MM/YYYY", "suffix: "))


def query_faults(sql: str, where: str, variables: set[str]) -> Iterator[str]:
    """What Grafana would make something else of, or the boards' role may not read."""
    for name, form in re.findall(r"\$\{(\w+)(?::(\w+))?\}", sql):
        if name not in variables:
            yield f"{where}: no variable {name} before it"
        if form != "sqlstring":
            yield f"{where}: {name} goes into SQL without its quotes doubled"
    if re.search(r"\$[a-z]\w*", sql) or "[[" in sql:
        yield f"{where}: a variable without its format"
    macros = re.findall(r"\$(__\w+)", sql)
    yield from (f"{where}: no macro {macro}" for macro in macros if macro not in MACROS)
    if re.search(r"\$__\w+\([^)]*\(", sql):
        yield f"{where}: a macro's arguments end at the first bracket"
    if re.search(r"\$__timeGroup\w*\([^)]*'\d+[My]'", sql):
        yield f"{where}: months and years of a macro depend on today"
    known = VIEWS | set(
        re.findall(r"(?:WITH(?: RECURSIVE)?|,)\s+(\w+)(?: \([^)]*\))? AS (?:MATERIALIZED )?\(", sql)
    )
    for name in re.findall(
        r"\b(?:FROM|JOIN)\s+([a-z_.]+)\b(?!\s*\()", re.sub(r"(?i)extract\([^)]*\)", "", sql)
    ):
        if name not in known and name not in ("generate_series", "unnest", "lateral"):
            yield f"{where}: reads {name}, which is no view of the boards"


def grid_faults(panels: list[dict[str, Any]]) -> Iterator[str]:
    """Panels that lie over each other or outside, and places without one."""
    rows: dict[int, list[dict[str, Any]]] = {}
    for panel in panels:
        rows.setdefault(panel["gridPos"]["y"], []).append(panel["gridPos"])
    for y, row in rows.items():
        if sum(one["w"] for one in row) != 24 or len({one["h"] for one in row}) != 1:
            yield f"the row at {y} leaves a hole: {row}"
    for place, panel in enumerate(panels):
        one = panel["gridPos"]
        if one["x"] < 0 or one["w"] < 3 or one["h"] < 3 or one["x"] + one["w"] > 24:
            yield f"{panel['id']} is off the grid: {one}"
        for before in panels[:place]:
            other = before["gridPos"]
            if (
                one["x"] < other["x"] + other["w"]
                and other["x"] < one["x"] + one["w"]
                and one["y"] < other["y"] + other["h"]
                and other["y"] < one["y"] + one["h"]
            ):
                yield f"{panel['id']} lies over {before['id']}"


def shape(node: Any, key: str = "") -> Any:
    """What must be the same in both languages: everything but texts."""
    if isinstance(node, dict):
        return {name: shape(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [shape(item, key) for item in node]
    return type(node).__name__ if isinstance(node, str) else node


def read(language: str, name: str) -> dict[str, Any]:
    board: dict[str, Any] = json.loads((GENERATED / language / f"{name}.json").read_text("utf-8"))
    return board


UIDS = {f"{name}-{language}" for name in BOARDS for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", BOARDS)
def test_the_board_is_in_order(name: str, language: str) -> None:
    assert list(faults(read(language, name), language, UIDS)) == []


@pytest.mark.parametrize("name", BOARDS)
def test_both_languages_are_the_same_board(name: str) -> None:
    vietnamese, english = read("vi", name), read("en", name)
    assert shape(vietnamese) == shape(english)
    for one, other in zip(vietnamese["panels"], english["panels"], strict=True):
        assert one["title"] != other["title"] or not _LETTERS_OF_VI.search(one["title"])
        assert one["description"] != other["description"]


def test_there_is_no_other_board() -> None:
    there = {path.relative_to(GENERATED).as_posix() for path in GENERATED.rglob("*.json")}
    assert there == {f"{language}/{name}.json" for language in LANGUAGES for name in BOARDS}


Break = Callable[[dict[str, Any]], None]


def on_panel(change: Callable[[dict[str, Any]], Any]) -> Break:
    """A change to the panel of the deadline, a time series with two columns."""
    return lambda board: change(next(panel for panel in board["panels"] if panel["type"] == "timeseries"))


def on_table(change: Callable[[dict[str, Any]], Any]) -> Break:
    return lambda board: change(next(panel for panel in board["panels"] if panel["type"] == "table"))


def with_sql(old: str, new: str) -> Break:
    def change(panel: dict[str, Any]) -> None:
        (target,) = panel["targets"]
        assert old in target["rawSql"]
        target["rawSql"] = target["rawSql"].replace(old, new)

    return on_panel(change)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda board: board.update(uid="other"), "uid 'other'"),
        (lambda board: board.update(uid="quality-en"), "uid 'quality-en'"),
        (lambda board: board.update(editable=True), "save over it"),
        (lambda board: board.update(timezone="browser"), "those of Viet Nam"),
        (lambda board: board.update(weekStart="sunday"), "those of Viet Nam"),
        (lambda board: board.update(refresh="1s"), "refresh '1s'"),
        (lambda board: board["panels"][1].update(id=1), "two panels have the id 1"),
        (lambda board: board["panels"][1]["gridPos"].update(x=0), "lies over"),
        (lambda board: board["panels"][5]["gridPos"].update(w=9), "off the grid"),
        (lambda board: board["panels"][5]["gridPos"].update(w=3), "leaves a hole"),
        (lambda board: board["panels"][5]["gridPos"].update(h=4), "leaves a hole"),
        (lambda board: board.update(panels=board["panels"][:3]), "3 panels on one board"),
        (lambda board: board["templating"]["list"].reverse(), "no variable geography before it"),
        (lambda board: board["templating"]["list"].pop(), "no variable disease"),
        (lambda board: board["templating"]["list"][3].update(allValue="all"), "goes into SQL as it stands"),
        (on_panel(lambda p: p.update(type="graph")), "no kind graph"),
        (on_panel(lambda p: p.update(title="")), "no title"),
        (on_panel(lambda p: p.update(description="Đúng hạn.")), "asks no question"),
        (on_panel(lambda p: p.update(description="In time? [x](/public/canhdich/docs/a.md)")), "not in Viet"),
        (on_panel(lambda p: p.update(description="Đúng hạn không?")), "links to no page"),
        (
            on_panel(lambda p: p.update(description=p["description"].replace("delay.md", "delays.md"))),
            "there is no docs/indicators/delays.md",
        ),
        (on_panel(lambda p: p["fieldConfig"]["defaults"].pop("noValue")), "where nothing is found"),
        (on_panel(lambda p: p["fieldConfig"]["defaults"].pop("unit")), "no unit"),
        (on_panel(lambda p: p["fieldConfig"]["defaults"].update(unit="persent")), "no unit persent"),
        (
            on_panel(lambda p: p["fieldConfig"]["defaults"].update(unit="dateTimeAsUS")),
            "no unit dateTimeAsUS",
        ),
        (on_panel(lambda p: p["fieldConfig"]["defaults"].update(unit="dtdurations")), "no unit dtdurations"),
        (
            on_panel(
                lambda p: p["fieldConfig"]["overrides"][0]["properties"].append({"id": "colour", "value": 1})
            ),
            "no property colour",
        ),
        (on_panel(lambda p: p.update(targets=[])), "no query"),
        (on_panel(lambda p: p["targets"].append(dict(p["targets"][0]))), "two queries A"),
        (on_panel(lambda p: p["targets"][0]["datasource"].update(uid="other")), "another data source"),
        (on_panel(lambda p: p["targets"][0].update(format="tabel")), "format 'tabel'"),
        (with_sql("ORDER BY 1", ""), "points are not in order"),
        (with_sql("AS time", "AS day"), "no column time"),
        (with_sql("FROM quality_weeks", "FROM cases"), "reads cases, which is no view"),
        (with_sql("FROM quality_weeks", "FROM public.case_events"), "reads public.case_events"),
        (with_sql("${province:sqlstring}", "${province:raw}"), "without its quotes doubled"),
        (with_sql("${province:sqlstring}", "'$province'"), "a variable without its format"),
        (with_sql("${province:sqlstring}", "${tinh:sqlstring}"), "no variable tinh"),
        (with_sql("GROUP BY week_start", "GROUP BY $__timeGroup(date(week_start), '1w')"), "first bracket"),
        (with_sql("GROUP BY week_start", "GROUP BY $__timeGroup(week_start, '1M')"), "depend on today"),
        (with_sql("GROUP BY week_start", "GROUP BY $__week(week_start)"), "no macro __week"),
        (
            on_table(lambda p: p.update(links=[{"url": "https://example.org"}])),
            "asks something of the outside",
        ),
        (
            on_table(lambda p: p.update(links=[{"url": "/d/nowhere-vi/nowhere-vi"}])),
            "links to nowhere-vi",
        ),
        (on_table(lambda p: p.update(links=[{"url": "/d/area-en/area-en"}])), "links to area-en"),
        (
            on_table(lambda p: p.update(links=[{"url": "/d/area-vi/x?${huyen:queryparam}"}])),
            "no variable huyen",
        ),
    ],
)
def test_a_broken_board_is_found(change: Break, fault: str) -> None:
    board = copy.deepcopy(read("vi", "quality"))
    change(board)
    found = list(faults(board, "vi", UIDS))
    assert any(fault in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("raised_at AS time", "raised_at", "no columns time and text"),
        ("LIMIT 1", "", "has no LIMIT"),
        ("FROM alerts", "FROM alert_events", "reads alert_events"),
    ],
)
def test_a_broken_annotation_is_found(old: str, new: str, fault: str) -> None:
    board = copy.deepcopy(read("vi", "alerts"))
    target = board["annotations"]["list"][-1]["target"]
    target["rawSql"] = target["rawSql"].replace(old, new)
    assert any(fault in sentence for sentence in faults(board, "vi", UIDS))


def test_a_difference_between_the_languages_is_found() -> None:
    vietnamese, english = read("vi", "quality"), read("en", "quality")
    english["panels"][0]["gridPos"]["w"] = 3
    assert shape(vietnamese) != shape(english)
