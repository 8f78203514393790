"""Farrington flexible (improved, nbPlugin, ten years): our time for a series-week, and R's.

Judges a year of weeks of many made-up series here, and as many of them as R can do in a minute or so with
`surveillance::farringtonFlexible`, one after the other on one core, and compares the answers. Without R only
ours are measured, and the last line says so. It is letter (n) of `make bench`, and stands alone as
`python -m tests.bench.detectors_speed`.

Times are processor time: others on the machine take turns, but do not count. (They still share its caches.)
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from streams.domain.detectors import DETECTORS, Detection, SeriesSet
from streams.domain.detectors.farrington import NOUFAILY_2012
from tests.bench.results import Measured, say

SEED = 20261122
YEARS = 10
JUDGED_WEEKS = 52
OPTIONS = replace(NOUFAILY_2012, years=YEARS)
PUBLISHED, COMPATIBLE = "ours, published", "ours, r-compat"

R_SCRIPT = """
suppressPackageStartupMessages(library(surveillance))
arguments <- commandArgs(trailingOnly = TRUE)
observed <- as.matrix(read.csv(file.path(arguments[1], "counts.csv"), header = FALSE))
dates <- as.Date(readLines(file.path(arguments[1], "dates.txt")))
first <- as.integer(arguments[2])
dimnames(observed) <- list(NULL, paste0("s", seq_len(ncol(observed))))
series <- sts(observed, frequency = 52, epoch = dates)
control <- list(
  range = first:nrow(observed), b = 10, w = 3, noPeriods = 10, pastWeeksNotIncluded = 26, reweight = TRUE,
  weightsThreshold = 2.58, trend = TRUE, pThresholdTrend = 1, limit54 = c(5, 4), alpha = 0.05,
  powertrans = "2/3", populationOffset = FALSE, thresholdMethod = "nbPlugin", glmWarnings = FALSE,
  fitFun = "algo.farrington.fitGLM.flexible")
before <- proc.time()
judged <- suppressWarnings(farringtonFlexible(series, control = control))
spent <- proc.time() - before
write(format(upperbound(judged), digits = 17), file.path(arguments[1], "bounds.txt"), ncolumns = 1)
write(as.integer(alarms(judged)), file.path(arguments[1], "alarms.txt"), ncolumns = 1)
cat(spent[["user.self"]] + spent[["sys.self"]], as.character(packageVersion("surveillance")),
    as.character(getRversion()), "\\n")
"""


@dataclass(frozen=True, slots=True)
class DetectorSpeed:
    """Processor time of one way of judging.

    Attributes:
        way: "ours, published", "ours, r-compat" or "R ..." with its versions.
        series_weeks: Verdicts asked for.
        seconds: For all of them; ours: the fastest of three.
    """

    way: str
    series_weeks: int
    seconds: float

    @property
    def milliseconds_each(self) -> float:
        """For one series in one week."""
        return 1000.0 * self.seconds / self.series_weeks


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far ours in R's mode is from R on the same series.

    Attributes:
        compared: Bounds that both give.
        farthest: Largest |ours - R's| / max(1, R's).
        differ: Rows of which only one has a bound, or whose alarms differ.
    """

    compared: int
    farthest: float
    differ: int


def made_up(n_series: int, seed: int = SEED) -> SeriesSet:
    """Seasonal, overdispersed weekly counts of eleven years and a little, one case a week to hundreds."""
    generator = np.random.default_rng(seed)
    week = np.arange(52 * (YEARS + 1) + 10)
    level = np.exp(generator.uniform(np.log(1.0), np.log(100.0), n_series))
    peak = generator.uniform(0.0, 52.0, n_series)
    mean = level * np.exp(0.7 * np.cos(2.0 * np.pi * (week[:, None] - peak) / 52.18))
    counts = generator.negative_binomial(mean, 0.5).astype(np.float64)
    return SeriesSet(counts, 52, np.datetime64("2016-01-04") + 7 * week)


def ours(series: SeriesSet, *, r_compat: bool, repeats: int = 3) -> tuple[Detection, DetectorSpeed]:
    """Judge the last year of every series here."""
    rows = np.arange(series.counts.shape[0] - JUDGED_WEEKS, series.counts.shape[0])
    seconds = []
    for _ in range(repeats):
        before = time.process_time()
        detection = DETECTORS["farrington-flexible"].detect(series, rows, OPTIONS, r_compat=r_compat)
        seconds.append(time.process_time() - before)
    way = COMPATIBLE if r_compat else PUBLISHED
    return detection, DetectorSpeed(way, detection.alarm.size, min(seconds))


def by_r(series: SeriesSet, rscript: str) -> tuple[np.ndarray, np.ndarray, DetectorSpeed]:
    """Judge the last year of every series in R: bounds and alarms (n_rows, n_series), and its time.

    Raises:
        RuntimeError: R failed, with what it said (mostly: surveillance is not installed).
    """
    assert series.dates is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savetxt(folder / "counts.csv", series.counts, fmt="%d", delimiter=",")
        (folder / "dates.txt").write_text("\n".join(str(day) for day in series.dates) + "\n", "utf-8")
        (folder / "judge.R").write_text(R_SCRIPT, "utf-8")
        first = series.counts.shape[0] - JUDGED_WEEKS + 1
        done = subprocess.run(
            [rscript, "--vanilla", str(folder / "judge.R"), name, str(first)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"R could not judge the series: {done.stderr.strip()}")
        shape = (series.counts.shape[1], JUDGED_WEEKS)
        bounds = _numbers(folder / "bounds.txt").reshape(shape).T
        alarms = _numbers(folder / "alarms.txt").reshape(shape).T == 1
        seconds, surveillance, version = done.stdout.split()[-3:]
    way = f"R {version}, surveillance {surveillance}"
    return bounds, alarms, DetectorSpeed(way, bounds.size, float(seconds))


def _numbers(path: Path) -> np.ndarray:
    return np.array([np.nan if "NA" in x or "NaN" in x else float(x) for x in path.read_text().split()])


def agreement(detection: Detection, bounds: np.ndarray, alarms: np.ndarray) -> Agreement:
    """Compare ours in R's mode with R."""
    both = ~np.isnan(bounds) & ~np.isnan(detection.upperbound)
    far = np.abs(bounds - detection.upperbound)[both] / np.maximum(1.0, np.abs(bounds[both]))
    differ = (np.isnan(bounds) != np.isnan(detection.upperbound)) | (alarms != detection.alarm)
    return Agreement(int(both.sum()), float(far.max(initial=0.0)), int(differ.sum()))


def run(n_series: int = 500, n_series_of_r: int = 20) -> tuple[list[DetectorSpeed], Agreement | None]:
    """Measure ours on all series, and R (where it is) on some of the same (0: not); they must agree to 1e-8.

    Raises:
        RuntimeError: R failed, or ours says something else than R.
    """
    series = made_up(n_series)
    _, published = ours(series, r_compat=False)
    compatible, in_its_mode = ours(series, r_compat=True)
    speeds = [published, in_its_mode]
    rscript = shutil.which("Rscript")
    if rscript is None or not n_series_of_r:
        return speeds, None
    some = slice(0, n_series_of_r)
    bounds, alarms, speed = by_r(series.columns(some), rscript)
    found = agreement(
        Detection(
            compatible.upperbound[:, some],
            compatible.alarm[:, some],
            compatible.judged[:, some],
            compatible.expected[:, some],
            compatible.reason[:, some],
        ),
        bounds,
        alarms,
    )
    if found.farthest > 1e-8 or found.differ or not found.compared:
        raise RuntimeError(f"Ours and R do not agree: {found}.")
    return [*speeds, speed], found


def report(speeds: Sequence[DetectorSpeed], found: Agreement | None) -> list[str]:
    """For a person."""
    lines = [
        f"{speed.way}: {speed.milliseconds_each:.3f} ms per series-week "
        f"({speed.series_weeks} in {speed.seconds:.2f} s of processor time)"
        for speed in speeds
    ]
    if found is None:
        return [*lines, "R not available: only ours measured"]
    published, compatible, r = speeds
    return [
        *lines,
        f"faster than R: {r.milliseconds_each / compatible.milliseconds_each:.0f} times in its own mode, "
        f"{r.milliseconds_each / published.milliseconds_each:.0f} times as published",
        f"agreement: {found.compared} bounds, farthest {found.farthest:.1e}, {found.differ} rows differ",
    ]


def _has_surveillance() -> bool:
    rscript = shutil.which("Rscript")
    if rscript is None:
        return False
    asked = [rscript, "--vanilla", "-e", "library(surveillance)"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def measure(n_series: int, n_series_of_r: int) -> Iterator[Measured]:
    """As `run`, for the table of all benchmarks; seconds are of the processor.

    Raises:
        RuntimeError: R failed, or ours says something else than R.
    """
    if not _has_surveillance():
        n_series_of_r = 0
    speeds, found = run(n_series, n_series_of_r)
    for line in report(speeds, found):
        say(f"(n) {line}")
    if found is None:
        say("(n) R's figure is left out: R with surveillance (Debian: r-cran-surveillance) is not here")
    for speed in speeds:
        more = {"ms_each": round(speed.milliseconds_each, 3)}
        if found is not None and speed.way not in (PUBLISHED, COMPATIBLE):
            more |= asdict(found)
        yield Measured("n", speed.way, speed.series_weeks, speed.seconds, more)


def main() -> None:
    """Print the report, and one JSON document to the file that BENCH_DETECTORS_JSON names."""
    speeds, found = run()
    print("\n".join(report(speeds, found)))
    target = os.environ.get("BENCH_DETECTORS_JSON")
    if target:
        document = {
            "speeds": [asdict(speed) | {"ms_each": speed.milliseconds_each} for speed in speeds],
            "agreement": None if found is None else asdict(found),
        }
        Path(target).write_text(json.dumps(document) + "\n", "utf-8")


if __name__ == "__main__":
    main()
