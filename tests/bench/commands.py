"""(i) Imports of 100,000 rows, a line list and a national export, (j) rebuild, by the commands themselves."""

import csv
import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from schemas.catalogue import Catalogue
from services.demo.national_export import national_days
from streams.stores.catalogue import province_of
from tests.bench.results import FOLDER, Measured, say, timed
from tests.bench.stage import Stage, communes, workers

ROWS = 100_000
_CANHDICH = Path(sys.executable).with_name("canhdich")


def import_line_list(stage: Stage, catalogue: Catalogue, rows: int) -> Measured:
    """From the start of `canhdich import --wait` to every row counted; one worker folds."""
    path = (FOLDER / "line-list.csv").resolve()
    _write_line_list(path, catalogue, rows)
    outcome: dict[str, Any] = {}

    def work() -> None:
        outcome.update(_run(stage, "import", str(path), "--wait", "--timeout", "3600"))

    with workers(stage):
        measured = timed("i", f"import of a CSV of {rows:,} rows, counted", rows, work)
    assert outcome["created"] == rows, outcome
    return measured


def import_national_export(stage: Stage, catalogue: Catalogue, rows: int) -> Measured:
    """The same of an export of the national system, 48 columns, as the simulation makes it."""
    path = (FOLDER / "national-export.csv").resolve()
    day, _ = national_days(catalogue, 1, rows)
    path.write_text(day.csv(), "utf-8-sig")
    outcome: dict[str, Any] = {}

    def work() -> None:
        outcome.update(_run(stage, "import", str(path), "--wait", "--timeout", "3600", exit_code=1))

    with workers(stage):
        measured = timed("i", f"import of a national export of {rows:,} cases, counted", rows, work)
    assert outcome["created"] == len(day.truth), outcome
    return measured


def rebuild(stage: Stage) -> Measured:
    """`canhdich rebuild` of a folded database; comparing with the live tables is part of it."""
    document = _run(stage, "rebuild")
    assert document["identical"], document
    way = "canhdich rebuild, comparison included"
    # What (a) does as well; comparing with the live tables comes on top.
    folding = {"folding_per_second": round(document["events"] / document["folding_seconds"], 1)}
    measured = Measured("j", way, document["events"], document["seconds"], folding)
    say(f"(j) {way}: {measured.rate:,.0f}/s")
    return measured


def _run(stage: Stage, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    done = subprocess.run(
        [_CANHDICH, *arguments, "--json"], env=stage.environment, stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == exit_code, f"canhdich {' '.join(arguments)}: exit {done.returncode}"
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _write_line_list(path: Path, catalogue: Catalogue, rows: int) -> None:
    """A line list of one province, a case a row."""
    draw = Random(1)
    by_id = {area.id: area for area in catalogue.areas}
    codes = [area.code for area in communes(catalogue) if province_of(area, by_id) == "12@start"]
    with path.open("w", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(
            (
                "case_id",
                "disease",
                "area_code",
                "onset_on",
                "reported_on",
                "classification",
                "sex",
                "age_years",
            )
        )
        for n in range(rows):
            onset = date(2023, 1, 1) + timedelta(days=draw.randrange(700))
            lines.writerow(
                (
                    f"CSV-{n:07d}",
                    draw.choice(("dengue", "measles", "rabies", "covid19")),
                    draw.choice(codes),
                    onset.isoformat(),
                    (onset + timedelta(days=draw.randrange(6))).isoformat(),
                    draw.choice(("suspected", "probable", "confirmed")),
                    draw.choice(("male", "female")),
                    draw.randrange(90),
                )
            )
