"""Series files of R and how far ours are from them."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.cli.series_file import read_series_file
from streams.domain.detectors import DETECTORS, Detection

COMMITTED = Path(__file__).parent / "vectors"

_METHODS = {
    "farringtonFlexible": "farrington-flexible",
    "algo.farrington": "farrington",
    "farrington": "farrington",
    "algo.cusum": "cusum",
}


def vector_files() -> list[Path]:
    """The committed files; those of the folder VECTORS_DIR beside them, where it is set."""
    elsewhere = os.environ.get("VECTORS_DIR")
    files = {path.name: path for path in sorted(COMMITTED.glob("*__*.json"))}
    if elsewhere:
        files |= {path.name: path for path in sorted(Path(elsewhere).glob("*__*.json"))}
    return [path for name, path in sorted(files.items()) if "__glr" not in name]


def method_of(document: dict[str, Any]) -> str:
    """The detector that a file was made with, by its name here."""
    function = document["r_function"]
    if function == "earsC":
        return f"ears-{document['control']['method'].lower()}"
    if function in _METHODS:
        return _METHODS[function]
    return "bayes" if "bayes" in function else "rki"


def detected(path: Path, *, r_compat: bool) -> Detection:
    """What ours says of a file."""
    method = method_of(json.loads(path.read_text("utf-8")))
    asked = read_series_file(path, method)
    assert asked.ignored == ()
    return DETECTORS[method].detect(asked.series, asked.rows, asked.options, r_compat=r_compat)


@dataclass(frozen=True)
class Deviation:
    """How far an answer is from R's: largest |U - R's U| / max(1, |R's U|), and rows that differ in kind."""

    bound: float
    bounds_missing: list[int]
    alarms: list[int]


def deviation(document: dict[str, Any], bounds: Sequence[float | None], alarms: Sequence[Any]) -> Deviation:
    """Compare an answer with the file that holds R's; rows are numbered as there."""
    rows = document["range"]
    ours = np.array([np.nan if bound is None else bound for bound in bounds], dtype=np.float64)
    theirs = np.array([np.nan if bound is None else float(bound) for bound in document["upperbound"]])
    both = ~np.isnan(ours) & ~np.isnan(theirs)
    far = np.abs(ours - theirs)[both] / np.maximum(1.0, np.abs(theirs[both]))
    return Deviation(
        float(far.max(initial=0.0)),
        [rows[place] for place in np.flatnonzero(np.isnan(ours) != np.isnan(theirs)).tolist()],
        [
            row
            for row, mine, r in zip(rows, alarms, document["alarm"], strict=True)
            if (None if mine is None else bool(mine)) != r
        ],
    )


def alarms_of(detection: Detection) -> list[bool | None]:
    """Verdicts of the first series, None where there is none."""
    return [
        bool(alarm) if judged else None
        for alarm, judged in zip(detection.alarm[:, 0], detection.judged[:, 0], strict=True)
    ]
