"""Series files of `canhdich detect`: one series, the rows to judge, and settings by R's names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from streams.domain.detectors import DETECTORS, SeriesSet
from streams.domain.detectors.ears import EarsOptions
from streams.domain.detectors.farrington import FlexibleOptions
from streams.domain.detectors.same_season import SeasonOptions
from streams.domain.errors import ConfigurationError

_NAMES: Mapping[str, Mapping[str, str]] = {
    "ears": {"alpha": "alpha", "baseline": "baseline", "minSigma": "min_sigma"},
    "farrington": {
        "b": "years",
        "w": "half_window",
        "alpha": "alpha",
        "trend": "trend",
        "reweight": "reweight",
        "powertrans": "power",
    },
    "farrington-flexible": {
        "b": "years",
        "w": "half_window",
        "alpha": "alpha",
        "trend": "trend",
        "reweight": "reweight",
        "powertrans": "power",
        "populationOffset": "population_offset",
        "noPeriods": "periods",
        "pastWeeksNotIncluded": "past_rows_excluded",
        "weightsThreshold": "weights_threshold",
        "pThresholdTrend": "trend_p",
        "thresholdMethod": "threshold",
    },
    "cusum": {"k": "k", "h": "h", "trans": "transformation", "m": "mean"},
    "bayes": {"b": "years", "w": "half_window", "actY": "this_year", "alpha": "alpha"},
    "rki": {"b": "years", "w": "half_window", "actY": "this_year"},
}
"""What R calls each setting, by method."""

_WITHOUT_EFFECT = frozenset({"range", "verbose", "glmWarnings", "plot"})

_VARIANTS = {
    "algo.bayes1": SeasonOptions(years=0, half_window=6, this_year=True),
    "algo.bayes2": SeasonOptions(years=1, half_window=6, this_year=True),
    "algo.bayes3": SeasonOptions(years=2, half_window=4, this_year=False),
    "algo.rki1": SeasonOptions(years=0, half_window=6, this_year=True),
    "algo.rki2": SeasonOptions(years=1, half_window=6, this_year=True),
    "algo.rki3": SeasonOptions(years=2, half_window=4, this_year=False),
}
"""Settings that R puts into the function's name."""


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """What a file asks for. rows count from 0. ignored: settings in it that the method does not have."""

    series: SeriesSet
    rows: NDArray[np.intp]
    options: Any
    ignored: tuple[str, ...]


def read_series_file(path: Path, method: str) -> SeriesFile:
    """Read a series file for one method.

    Args: path: A JSON object with `observed` (null: not known), `freq`, `range` (from 1), and if wanted
        `control`, `epoch` with `epoch_as_date` (days since 1970-01-01), `population`, `r_function`. method: A
        name of `DETECTORS`; it wins over what the file was made with.

    Returns:
        The series and what to do with it. Settings that the file leaves out are R's defaults.

    Raises:
        ConfigurationError: names the file, the field and what it should be.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}: a series file is a JSON object with observed, freq and range.")
    try:
        series = _series(document)
        options, ignored = _options(method, document)
        return SeriesFile(series, _rows(document, series), options, ignored)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _series(document: Mapping[str, Any]) -> SeriesSet:
    counts = _numbers(document, "observed")
    frequency = document.get("freq")
    if not isinstance(frequency, int) or isinstance(frequency, bool):
        raise TypeError(f"freq: rows per year as a whole number, not {frequency!r}.")
    dates = None
    if document.get("epoch_as_date"):
        days = _numbers(document, "epoch")
        if np.isnan(days).any() or (days != np.floor(days)).any():
            raise ValueError("epoch: whole days since 1970-01-01.")
        dates = days.astype(np.int64).astype("datetime64[D]")
    population = None
    if document.get("population") is not None:
        population = _numbers(document, "population")[:, None]
    return SeriesSet(counts[:, None], frequency, dates, population)


def _numbers(document: Mapping[str, Any], field: str) -> NDArray[np.float64]:
    values = document.get(field)
    if not isinstance(values, list) or not values:
        raise ValueError(f"{field}: a list of numbers is needed, null where one is not known.")
    for place, value in enumerate(values, 1):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ValueError(f"{field}: entry {place} is {value!r}, not a number or null.")
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _rows(document: Mapping[str, Any], series: SeriesSet) -> NDArray[np.intp]:
    n_times = series.counts.shape[0]
    wanted = document.get("range")
    if wanted is None:
        return np.arange(n_times)
    # R writes a vector of one as a number.
    wanted = wanted if isinstance(wanted, list) else [wanted]
    for row in wanted:
        if isinstance(row, bool) or not isinstance(row, int) or not 1 <= row <= n_times:
            raise ValueError(f"range: {row!r} is not a row from 1 to {n_times}.")
    return np.array(wanted, dtype=np.intp) - 1


def _options(method: str, document: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """The method's options, and which settings of the file it does not have."""
    family = "ears" if method.startswith("ears-") else method
    made_with = document.get("r_function")
    options: Any = DETECTORS[method].defaults
    if method == "farrington-flexible":
        options = FlexibleOptions()
    elif isinstance(options, SeasonOptions) and made_with in _VARIANTS and family in made_with:
        options = _VARIANTS[made_with]
    # R's JSON has no empty object: an empty list is an empty control.
    control = document.get("control") or {}
    if not isinstance(control, dict):
        raise TypeError(f"control: an object of R's settings, not {control!r}.")
    known = _NAMES[family]
    changes: dict[str, Any] = {}
    ignored = []
    for name, value in control.items():
        if name in known:
            if value is not None:
                changes[known[name]] = value
        elif name == "limit54" and family.startswith("farrington"):
            changes["min_cases"], changes["min_cases_rows"] = _pair(value)
        elif name == "fitFun" and family == "farrington":
            changes["population_offset"] = value == "algo.farrington.fitGLM.populationOffset"
        elif name == "method" and isinstance(options, EarsOptions):
            if f"ears-{value}".lower() != method:
                ignored.append(f"method {value}")
        elif name not in _WITHOUT_EFFECT:
            ignored.append(name)
    return replace(options, **changes), tuple(ignored)


def _pair(value: Any) -> tuple[float, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"limit54: cases and rows, like [5, 4], not {value!r}.")
    return float(value[0]), int(value[1])
