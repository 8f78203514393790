"""`python -m tests.pictures`: draw the pictures of docs/boards anew; wants DATABASE_URL, npm and Chromium.

Fills a scratch database, runs every query of the boards as their own login, and has a page of Grafana's own
React components draw the results. The page's packages come from npm and are built below .native/pictures.
"""

import argparse
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from dashboards.__main__ import generate
from streams.domain.calendar import LOCAL_ZONE
from streams.stores.database import connect
from streams.stores.views import EPIDEMIOLOGISTS, set_password
from tests.conftest import scratch_database
from tests.grafana import EVERY, Range, choose_all, expand
from tests.pictures.database import FIRST, LAST, fill
from tests.pictures.smaller import smaller

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = Path(__file__).parent / "page"
PICTURES: Final = ROOT / "docs" / "boards"
SHOWN: Final = tuple(
    f"{board}-{language}"
    for board in ("overview", "disease", "area", "alerts", "quality")
    for language in ("vi", "en")
)
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "overview": {},
    "disease": {"disease": "hfmd"},
    "area": {"district": "105"},
    "alerts": {},
    "quality": {},
}
PERIOD: Final = Range(
    datetime.combine(FIRST, time(), LOCAL_ZONE), datetime.combine(LAST, time(23, 59, 59, 999_000), LOCAL_ZONE)
)
_PASSWORD: Final = "pictures"  # noqa: S105 - of a login on the tests' own server
_TIMES, _NUMBERS = {1114, 1184, 1082}, {20, 21, 23, 700, 701, 1700}


def frames(connection: Connection[TupleRow], board: Mapping[str, Any], values: Mapping[str, str]) -> Any:
    """The results of a board's panels as data frames, by the panel's id."""
    wanted = {"province": "12", "geography": "0001-01-01", "district": EVERY, "disease": EVERY, **values}

    def choose(name: str, options: Sequence[str]) -> Sequence[str]:
        return (wanted.get(name, options[0] if options else ""),)

    chosen = choose_all(connection, board, choose, PERIOD)
    found: dict[str, list[Any]] = {}
    for panel in board["panels"]:
        for target in panel["targets"]:
            cursor = connection.execute(expand(target["rawSql"], chosen, PERIOD))
            columns = [(column.name, column.type_code) for column in cursor.description or ()]
            fields = _fields(columns, cursor.fetchall(), is_long="metric" in dict(columns))
            found.setdefault(str(panel["id"]), []).append({"refId": target["refId"], "fields": fields})
    # As of the period's end, where the boards mark the last days as incomplete.
    marks = [
        (
            mark["iconColor"],
            expand(
                mark["target"]["rawSql"].replace("now()", f"'{PERIOD.last}'::timestamptz"), chosen, PERIOD
            ),
        )
        for mark in board["annotations"]["list"]
    ]
    return {
        "panels": found,
        "marks": [
            {"colour": colour, "from": _value(row["time"]), "to": _value(row.get("timeend"))}
            for colour, sql in marks
            for row in connection.cursor(row_factory=dict_row).execute(sql)
        ],
        "from": PERIOD.first.timestamp() * 1000,
        "to": PERIOD.last.timestamp() * 1000,
        "variables": {name: list(one.values) for name, one in chosen.items()},
    }


def _fields(columns: list[tuple[str, int]], rows: list[TupleRow], *, is_long: bool) -> list[Any]:
    if not is_long:
        return [
            {"name": name, "type": _kind(code), "values": [_value(row[place]) for row in rows]}
            for place, (name, code) in enumerate(columns)
        ]
    # As Grafana's server turns long series into wide ones: a column for every name.
    names = [name for name, _ in columns]
    at, metric = names.index("time"), names.index("metric")
    (value,) = set(range(3)) - {at, metric}
    times = sorted({row[at] for row in rows})
    cells = {(row[at], row[metric]): row[value] for row in rows}
    return [
        {"name": "time", "type": "time", "values": [_value(one) for one in times]},
        *(
            {"name": one, "type": "number", "values": [_value(cells.get((moment, one))) for moment in times]}
            for one in sorted({row[metric] for row in rows})
        ),
    ]


def _kind(code: int) -> str:
    return "time" if code in _TIMES else "number" if code in _NUMBERS else "string"


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp() * 1000
    if isinstance(value, date):
        return datetime.combine(value, time(), LOCAL_ZONE).timestamp() * 1000
    return value if value is None or isinstance(value, str | bool) else float(value)


def write_results(server_url: str, folder: Path) -> None:
    """`<uid>.json` and `<uid>.data.json` of every board that is shown."""
    generated = {text["uid"]: text for text in map(json.loads, generate().values())}
    with scratch_database(server_url) as url:
        fill(url)
        with connect(url) as connection:
            set_password(connection, EPIDEMIOLOGISTS, _PASSWORD)
        parts = urlsplit(url)
        login = f"{EPIDEMIOLOGISTS}:{_PASSWORD}@{parts.netloc.rpartition('@')[2]}"
        with psycopg.connect(urlunsplit(parts._replace(netloc=login)), autocommit=True) as connection:
            for uid in SHOWN:
                board = generated[uid]
                data = frames(connection, board, CHOICES[uid.partition("-")[0]])
                (folder / f"{uid}.json").write_text(json.dumps(board), "utf-8")
                (folder / f"{uid}.data.json").write_text(json.dumps(data), "utf-8")


def build_page(folder: Path) -> None:
    """Fetch the page's packages once, and build it."""
    for path in PAGE.iterdir():
        shutil.copy(path, folder)
    if not (folder / "node_modules").exists():
        subprocess.run(
            ["npm", "install", "--legacy-peer-deps", "--ignore-scripts", "--no-audit"], cwd=folder, check=True
        )
    subprocess.run(["npx", "vite", "build"], cwd=folder, check=True)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder on this machine."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def draw(address: str, uid: str, rows: int, picture: Path) -> None:
    """Have Chromium draw one board, of so many rows of the grid."""
    subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--virtual-time-budget=15000", f"--window-size=1516,{38 * rows + 60}"),
            *(f"--screenshot={picture}", f"{address}/?board={uid}"),
        ],
        check=True,
        capture_output=True,
    )
    smaller(picture, 64)


def main() -> None:
    """Everything, or only the drawing of what the last run found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--again", action="store_true", help="draw the last run's results")
    parser.add_argument("--folder", type=Path, default=ROOT / ".native" / "pictures")
    options = parser.parse_args()
    results = options.folder / "public" / "boards"
    results.mkdir(parents=True, exist_ok=True)
    if not options.again:
        write_results(os.environ["DATABASE_URL"], results)
    build_page(options.folder)
    with served(options.folder / "dist") as address:
        for uid in SHOWN:
            panels = json.loads((results / f"{uid}.json").read_text("utf-8"))["panels"]
            rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
            draw(address, uid, rows, PICTURES / f"{uid}.png")


if __name__ == "__main__":
    main()
