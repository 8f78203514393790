"""What `canhdich detect` computes and prints; apart, because numpy and scipy take a while to import."""

from pathlib import Path

import numpy as np
from rich.table import Table

from services.cli.output import err, out, print_json
from services.cli.series_file import SeriesFile, read_series_file
from streams.domain.detectors import DETECTORS, MESSAGES, Detection, Reason
from streams.domain.errors import ConfigurationError


def detect(method: str, path: Path, *, r_compat: bool, json_output: bool) -> None:
    """Print the bound and the verdict of every row that a series file asks for.

    Raises:
        ConfigurationError: no such method, or a file that cannot be judged by it.
    """
    if method not in DETECTORS:
        raise ConfigurationError(f"There is no detector {method!r}. Choose one of {', '.join(DETECTORS)}.")
    asked = read_series_file(path, method)
    if asked.ignored:
        err.print(f"{method} has no such setting, ignored: {', '.join(asked.ignored)}.", highlight=False)
    try:
        detection = DETECTORS[method].detect(asked.series, asked.rows, asked.options, r_compat=r_compat)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    if json_output:
        print_json(_document(detection))
    else:
        out.print(_table(asked, detection))
    for reason, rows in _unjudged(asked, detection).items():
        shown = ", ".join(map(str, rows[:10])) + (" …" if len(rows) > 10 else "")
        err.print(f"{len(rows)} rows without a verdict: {MESSAGES[reason][1]} Rows {shown}.", highlight=False)


def _document(detection: Detection) -> dict[str, list[float | None] | list[bool | None]]:
    """The contract's JSON; null where undefined."""
    bounds = detection.upperbound[:, 0]
    verdicts = zip(detection.alarm[:, 0].tolist(), detection.judged[:, 0].tolist(), strict=True)
    return {
        "upperbound": [bound if np.isfinite(bound) else None for bound in bounds.tolist()],
        "alarm": [alarm if judged else None for alarm, judged in verdicts],
    }


def _table(asked: SeriesFile, detection: Detection) -> Table:
    """For people: row numbers as in the file, from 1."""
    table = Table("row", "date", "count", "expected", "upper bound", "alarm", "why")
    dates = asked.series.dates
    for place, row in enumerate(asked.rows.tolist()):
        judged = bool(detection.judged[place, 0])
        table.add_row(
            str(row + 1),
            "" if dates is None else str(dates[row]),
            _figure(asked.series.counts[row, 0]),
            _figure(detection.expected[place, 0]),
            _figure(detection.upperbound[place, 0]),
            ("ALARM" if detection.alarm[place, 0] else "no") if judged else "-",
            MESSAGES[Reason(int(detection.reason[place, 0]))][1],
        )
    return table


def _figure(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.6g}"


def _unjudged(asked: SeriesFile, detection: Detection) -> dict[Reason, list[int]]:
    """Rows without a verdict by reason, numbered as in the file."""
    found: dict[Reason, list[int]] = {}
    for place in np.flatnonzero(~detection.judged[:, 0]).tolist():
        reason = Reason(int(detection.reason[place, 0]))
        found.setdefault(reason, []).append(int(asked.rows[place]) + 1)
    return found
