"""Farrington, classic and flexible: a count against the same season of earlier years."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from streams.domain.detectors import loglinear, reference_rows
from streams.domain.detectors.base import (
    Detection,
    Detector,
    Floats,
    Reason,
    Rows,
    SeriesSet,
    judged_by_bound,
)
from streams.domain.detectors.quantiles import count_quantile
from streams.domain.detectors.same_season import predictive_bound

Bools = NDArray[np.bool_]
ThresholdMethod = Literal["delta", "nbPlugin", "muan"]
Power = Literal["2/3", "1/2", "none"]

_EXPONENTS: dict[Power, float] = {"2/3": 2.0 / 3.0, "1/2": 0.5, "none": 1.0}

YEARS_FOR_TREND = 3
"""Years that a trend needs; and that any history needs, unless `years` asks for fewer."""

# Counts of one batch of models: what a core's own cache holds of the dozen arrays of a fit.
_COUNTS_AT_ONCE = 24_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FarringtonOptions:
    """Settings of the classic method, with R's defaults.

    years: b, earlier years looked at. half_window: w, rows on each side of the same row there. alpha:
    two-sided error. trend: whether a trend may stay in. reweight: whether past outbreaks weigh less.
    min_cases: no alarm with fewer cases in the last min_cases_rows rows, the judged one included. power:
    scale on which the bound is computed. population_offset: model cases per head.
    """

    years: int = 5
    half_window: int = 3
    alpha: float = 0.05
    trend: bool = True
    reweight: bool = True
    min_cases: float = 5
    min_cases_rows: int = 4
    power: Power = "2/3"
    population_offset: bool = False

    def __post_init__(self) -> None:
        """Refuse settings out of bounds.

        Raises:
            ValueError: names the setting.
        """
        if self.years < 1 or self.half_window < 0:
            raise ValueError("Farrington looks back one year or more, with a half window of zero or more.")
        if not 0.0 < self.alpha < 1.0:
            raise ValueError(f"alpha lies between 0 and 1, not {self.alpha}.")
        if self.min_cases < 0 or self.min_cases_rows < 1:
            raise ValueError("limit54 is a number of cases, zero or more, and a number of rows, one or more.")
        if self.power not in _EXPONENTS:
            raise ValueError(f"Powers are {', '.join(_EXPONENTS)}, not {self.power!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlexibleOptions(FarringtonOptions):
    """Settings of the flexible method, with R's defaults; alpha is one-sided. NOUFAILY_2012 has others.

    periods: seasons of the year in the model; 1: only the windows. past_rows_excluded: rows right before the
    judged one that are no baseline; None: half_window. weights_threshold: Anscombe residual above which a row
    weighs less. trend_p: the trend stays if its p-value is below. threshold: how the bound is computed.
    """

    periods: int = 1
    past_rows_excluded: int | None = None
    weights_threshold: float = 2.58
    trend_p: float = 0.05
    threshold: ThresholdMethod = "delta"

    def __post_init__(self) -> None:
        """Refuse settings out of bounds.

        Raises:
            ValueError: names the setting.
        """
        # Not super(): a dataclass with slots is made anew, and the old cell of super() points at the first.
        FarringtonOptions.__post_init__(self)
        if self.periods < 1:
            raise ValueError(f"A year has one season or more, not {self.periods}.")
        if self.past_rows_excluded is not None and self.past_rows_excluded < 0:
            raise ValueError(f"Rows left out are zero or more, not {self.past_rows_excluded}.")
        if self.threshold not in ("delta", "nbPlugin", "muan"):
            raise ValueError(f"Thresholds are delta, nbPlugin and muan, not {self.threshold!r}.")

    @property
    def rows_excluded(self) -> int:
        """past_rows_excluded with its default."""
        return self.half_window if self.past_rows_excluded is None else self.past_rows_excluded


NOUFAILY_2012 = FlexibleOptions(
    periods=10, past_rows_excluded=26, weights_threshold=2.58, trend_p=1.0, threshold="nbPlugin"
)
"""The improved settings of Noufaily et al. 2013 (published online 2012), as R's help names them."""


@dataclass(slots=True, eq=False)
class _Batch:
    """Models to fit together: the counts of k (row, series) pairs on one design.

    known, counts: (k, n), 0 where not known. offset: (k, n) or None. Of the judged row, (k,): offset_now,
    time_now, count_now; recent, the cases of the last rows (in R's mode NaN where one is); new, whether no
    case is known from the first row of the baseline to the last that is old enough for it. allow_trend: years
    suffice.
    """

    design: loglinear.Design
    current: int
    known: Bools
    counts: loglinear.Counts
    offset: Floats | None
    offset_now: Floats
    time_now: Floats
    count_now: Floats
    recent: Floats
    new: Bools
    allow_trend: bool

    def part(self, which: NDArray[np.intp]) -> "_Batch":
        """Some of the models."""
        return _Batch(
            self.design,
            self.current,
            self.known[which],
            self.counts.of(which),
            None if self.offset is None else self.offset[which],
            self.offset_now[which],
            self.time_now[which],
            self.count_now[which],
            self.recent[which],
            self.new[which],
            self.allow_trend,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """All series, each in one piece of memory: counts (n_series, n_times), NaN not known; log population.

    cases_before: cases known before each row (n_series, n_times + 1).
    """

    counts: Floats
    log_people: Floats | None
    cases_before: Floats

    @classmethod
    def of(cls, series: SeriesSet, options: FarringtonOptions) -> "_Source":
        """Turn a set of series around."""
        counts = np.ascontiguousarray(series.counts.T)
        people = series.population if options.population_offset else None
        before = np.zeros((counts.shape[0], counts.shape[1] + 1))
        np.cumsum(np.where(np.isnan(counts), 0.0, counts), axis=1, out=before[:, 1:])
        return cls(counts, None if people is None else np.log(np.ascontiguousarray(people.T)), before)


@dataclass(slots=True, eq=False)
class _Prediction:
    """What the models say of the judged row, (k,) each; variance is that of log_mean, per unit dispersion."""

    size: int
    log_mean: Floats = field(init=False)
    variance: Floats = field(init=False)
    phi: Floats = field(init=False)
    se_dispersion: Floats = field(init=False)
    fitted: Bools = field(init=False)

    def __post_init__(self) -> None:
        self.log_mean = np.full(self.size, np.nan)
        self.variance = np.full(self.size, np.nan)
        self.phi = np.full(self.size, np.nan)
        self.se_dispersion = np.full(self.size, np.nan)
        self.fitted = np.zeros(self.size, dtype=np.bool_)


def farrington(series: SeriesSet, rows: Rows, options: FarringtonOptions, r_compat: bool) -> Detection:
    """Judge rows by a quasi-Poisson model of the same weeks of earlier years, with a trend if there is one.

    Source:
        Farrington et al. 1996 (J R Stat Soc A 159, 547); R surveillance 1.20.3, algo.farrington.
    """
    return _Run(series, rows, options, r_compat, flexible=None).detection()


def farrington_flexible(series: SeriesSet, rows: Rows, options: FlexibleOptions, r_compat: bool) -> Detection:
    """Judge rows by Farrington's model with seasons, by Noufaily's thresholds if asked.

    Source:
        Noufaily et al. 2013 (Stat Med 32, 1206); Salmon et al. 2016 (J Stat Softw 70, 10); R surveillance
        1.20.3, farringtonFlexible.
    """
    return _Run(series, rows, options, r_compat, flexible=options).detection()


@dataclass(slots=True, eq=False)
class _Run:
    """One call: sorts rows by the shape of their baseline, fits batch by batch, puts the answers in place."""

    series: SeriesSet
    rows: Rows
    options: FarringtonOptions
    r_compat: bool
    flexible: FlexibleOptions | None
    bound: Floats = field(init=False)
    expected: Floats = field(init=False)
    reason: NDArray[np.int8] = field(init=False)
    alarm: Bools = field(init=False)

    def detection(self) -> Detection:
        """The answers.

        Raises:
            ValueError: a population offset is asked for and the series has no population.
        """
        if self.options.population_offset and self.series.population is None:
            raise ValueError("A population offset needs the population of every row.")
        shape = (self.rows.size, self.series.counts.shape[1])
        self.bound = np.full(shape, np.nan)
        self.expected = np.full(shape, np.nan)
        self.alarm = np.zeros(shape, dtype=np.bool_)
        without = Reason.R_HAS_NO_ANSWER if self.r_compat else Reason.HISTORY_TOO_SHORT
        self.reason = np.full(shape, without, dtype=np.int8)
        source = _Source.of(self.series, self.options)
        for baseline, time, years, places in self._shapes():
            per_batch = max(1, _COUNTS_AT_ONCE // baseline.offsets.size)
            for first in range(0, places.size * shape[1], per_batch):
                pairs = np.arange(first, min(first + per_batch, places.size * shape[1]))
                place, column = np.divmod(pairs, shape[1])
                at = (places[place], column)
                batch = self._batch(baseline, time, years, self.rows[at[0]], column, source)
                answer = self._r_answer(batch) if self.r_compat else self._published_answer(batch)
                self.bound[at], self.expected[at], self.reason[at], self.alarm[at] = answer
        if not self.r_compat:
            return judged_by_bound(self.series.counts[self.rows], self.bound, self.expected, self.reason)
        return Detection(
            self.bound, self.alarm, self.reason != Reason.R_HAS_NO_ANSWER, self.expected, self.reason
        )

    def _shapes(self) -> Iterator[tuple[reference_rows.Baseline, Floats, int, NDArray[np.intp]]]:
        """Baselines, their times seen from the judged row, years in them, and which rows have them."""
        places: dict[tuple[bytes, bytes, int], list[int]] = defaultdict(list)
        shapes: dict[tuple[bytes, bytes, int], tuple[reference_rows.Baseline, Floats, int]] = {}
        for place, row in enumerate(self.rows.tolist()):
            found = self._baseline(row)
            if found is None:
                continue
            baseline, years = found
            time = baseline.offsets.astype(np.float64)
            if self.flexible is not None and self.series.dates is not None:
                days = self.series.dates
                time = (days[row + baseline.offsets] - days[row]).astype(np.float64)
            key = (baseline.offsets.tobytes() + baseline.season_starts.tobytes(), time.tobytes(), years)
            shapes[key] = (baseline, time, years)
            places[key].append(place)
        for key, shape in shapes.items():
            yield *shape, np.array(places[key], dtype=np.intp)

    def _baseline(self, row: int) -> tuple[reference_rows.Baseline, int] | None:
        """The baseline of a row and how many years it has; None where there is none to speak of."""
        options = self.options
        if self.flexible is None:
            baseline = reference_rows.windows(self.series, row, options.years, options.half_window)
            if baseline.offsets.size == 0:
                return None
            if self.r_compat:
                return baseline, options.years
            years = round(-int(baseline.offsets[0]) / self.series.frequency)
            return (baseline, years) if self._years_suffice(years) else None
        found = reference_rows.years_back(self.series, row, options.years)
        # Row -1 is R's index 0, which it leaves out without a word; below that it stops.
        first = -1 if self.r_compat else 0
        lags = [
            row - before for before in found if before is not None and before - options.half_window >= first
        ]
        if self.r_compat and len(lags) < options.years:
            return None
        if not self._years_suffice(len(lags)):
            return None
        periods = self.flexible.periods
        if not self.r_compat:
            periods = reference_rows.most_periods(tuple(lags), options.half_window, periods)
        whole = reference_rows.seasons(tuple(lags), options.half_window, periods, self.flexible.rows_excluded)
        if whole is None or whole.current is None:
            return None
        return whole.from_row(row), len(lags)

    def _years_suffice(self, years: int) -> bool:
        return years >= min(self.options.years, YEARS_FOR_TREND)

    def _batch(
        self,
        baseline: reference_rows.Baseline,
        time: Floats,
        years: int,
        rows: Rows,
        columns: NDArray[np.intp],
        source: "_Source",
    ) -> _Batch:
        """The counts of some (row, series) pairs."""
        at = (columns[:, None], rows[:, None] + baseline.offsets)
        counts = source.counts[at]
        known = ~np.isnan(counts)
        offset = None
        offset_now = np.zeros(rows.size)
        if source.log_people is not None:
            offset = source.log_people[at]
            known &= ~np.isnan(offset)
            offset = np.where(known, offset, 0.0)
            offset_now = source.log_people[columns, rows]
        time_now = np.zeros(rows.size)
        if self.r_compat and self.flexible is not None and self.series.dates is not None:
            # R counts the time of the model from the first row of the baseline, that of the prediction from
            # the first known one.
            in_order = np.argsort(baseline.offsets)
            first_known = in_order[known[:, in_order].argmax(axis=1)]
            time_now = time[in_order[0]] - time[first_known]
        old = rows if self.flexible is None else np.maximum(rows - self.flexible.rows_excluded, 0)
        return _Batch(
            loglinear.Design(baseline.season_starts, baseline.season_sizes, time),
            baseline.current or 0,
            known,
            loglinear.Counts(np.where(known, counts, 0.0)),
            offset,
            offset_now,
            time_now,
            source.counts[columns, rows],
            self._recent(rows, columns, source),
            source.cases_before[columns, old] == source.cases_before[columns, rows + baseline.offsets.min()],
            self.options.trend and years >= YEARS_FOR_TREND,
        )

    def _recent(self, rows: Rows, columns: NDArray[np.intp], source: "_Source") -> Floats:
        """Cases of the last rows. R adds them up as they are: one unknown among them leaves no sum."""
        back = rows[:, None] - np.arange(self.options.min_cases_rows)
        last = np.where(back >= 0, source.counts[columns[:, None], np.maximum(back, 0)], np.nan)
        total: Floats = last.sum(axis=1) if self.r_compat else np.nansum(last, axis=1)
        return total

    def _r_answer(self, batch: _Batch) -> tuple[Floats, Floats, NDArray[np.int8], Bools]:
        """R's bound and alarm, missing where R's are."""
        predicted = self._predict(batch)
        mean, bound = self._threshold(predicted)
        count, recent = batch.count_now, batch.recent
        enough = recent >= self.options.min_cases
        # R compares on the scale of `score`; for the count laws it takes the log mean for the mean there.
        middle = mean if self._threshold_method == "delta" else predicted.log_mean
        with np.errstate(all="ignore"):
            above = (count - middle) / (bound - middle) > 1.0
        if self.flexible is None:
            answered = predicted.fitted & batch.known.all(axis=1) & ~np.isnan(recent)
            bound = np.where(enough, bound, 0.0)
            alarm = enough & above
        else:
            answered = predicted.fitted
            bound = np.where(enough, bound, np.nan)
            alarm = enough & above & (count != 0)
        reason = np.where(
            answered, np.where(enough, Reason.MODEL, Reason.TOO_FEW_CASES), Reason.R_HAS_NO_ANSWER
        )
        return np.where(answered, bound, np.nan), mean, reason.astype(np.int8), answered & alarm

    def _published_answer(self, batch: _Batch) -> tuple[Floats, Floats, NDArray[np.int8], Bools]:
        """The bound, with one for what the model cannot answer. The alarm is drawn from it later."""
        size = batch.known.shape[0]
        bound, expected = np.full(size, np.nan), np.full(size, np.nan)
        reason = np.full(size, Reason.MODEL, dtype=np.int8)
        start = batch.design.group_starts[batch.current]
        season = slice(start, start + batch.design.group_sizes[batch.current])
        n_season = np.count_nonzero(batch.known[:, season], axis=1)
        in_season = batch.counts.values[:, season].sum(axis=1)
        short = 2 * n_season <= batch.design.group_sizes[batch.current]
        short |= np.isnan(batch.offset_now)
        reason[short] = Reason.HISTORY_TOO_SHORT

        new = ~short & batch.new & (self.flexible is not None)
        reason[new] = Reason.NEW_DISEASE
        few = ~short & ~new & (batch.recent < self.options.min_cases) & ~np.isnan(batch.count_now)
        reason[few] = Reason.TOO_FEW_CASES

        modelled = np.flatnonzero(reason == Reason.MODEL)
        if modelled.size:
            predicted = self._predict(batch.part(modelled))
            expected[modelled], bound[modelled] = self._threshold(predicted)
            # Without a case in its season the mean is at its limit, and its standard error means nothing.
            sparse = ~np.isfinite(bound[modelled]) | (
                (self._threshold_method == "muan") & (in_season[modelled] == 0)
            )
            reason[modelled[sparse]] = Reason.SPARSE
        by_season = np.flatnonzero((reason == Reason.NEW_DISEASE) | (reason == Reason.SPARSE))
        n = n_season[by_season]
        expected[by_season] = in_season[by_season] / n
        bound[by_season] = predictive_bound(self._one_sided_alpha, (in_season[by_season] + 0.5) / n, n)
        return bound, expected, reason, np.zeros(size, dtype=np.bool_)

    @property
    def _threshold_method(self) -> ThresholdMethod:
        return "delta" if self.flexible is None else self.flexible.threshold

    @property
    def _one_sided_alpha(self) -> float:
        """Farrington 1996 takes half of alpha for the upper bound, Noufaily 2012 all of it."""
        return self.options.alpha / 2.0 if self.flexible is None else self.options.alpha

    def _threshold(self, predicted: _Prediction) -> tuple[Floats, Floats]:
        """Mean and upper bound; NaN where the model did not fit."""
        z = float(special.ndtri(1.0 - self._one_sided_alpha))
        with np.errstate(all="ignore"):
            mean = np.where(predicted.fitted, loglinear.mean_of(predicted.log_mean), np.nan)
            se = np.sqrt(predicted.se_dispersion * predicted.variance)
            if self._threshold_method == "delta":
                exponent = _EXPONENTS[self.options.power]
                tau = predicted.phi + (se * mean) ** 2 / mean
                sd = exponent * mean ** (exponent - 0.5) * np.sqrt(tau)
                return mean, (mean**exponent + z * sd) ** (1.0 / exponent)
            upper = (
                predicted.log_mean if self._threshold_method == "nbPlugin" else predicted.log_mean + z * se
            )
            upper_mean = np.where(predicted.fitted, np.exp(upper), np.nan)
            return mean, count_quantile(1.0 - self._one_sided_alpha, upper_mean, predicted.phi)

    def _predict(self, batch: _Batch) -> _Prediction:
        """Fit with a trend where one is allowed; without it where it does not hold or does not converge."""
        prediction = _Prediction(batch.known.shape[0])
        flat = np.arange(prediction.size)
        if batch.allow_trend:
            stays = self._fit(batch, flat, prediction, trend=True)
            flat = flat[~stays]
        if flat.size:
            self._fit(batch.part(flat), flat, prediction, trend=False)
        return prediction

    def _fit(self, batch: _Batch, to: NDArray[np.intp], prediction: _Prediction, *, trend: bool) -> Bools:
        """Fit, weigh outbreaks down, fit again, predict; returns which models hold and were written."""
        design = batch.design if trend else batch.design.without_slope()
        prior = batch.known.astype(np.float64)
        model = loglinear.fit(design, batch.counts, prior, batch.offset)
        # The classic code of R goes on with what a model without trend has reached after 25 steps.
        usable = model.converged | (self.flexible is None and not trend)
        pearson = model.dispersion(batch.counts)
        weights = prior
        if self.options.reweight:
            weights = self._weights(model, design, batch, np.maximum(pearson, 1.0))
            usable &= ~np.isnan(weights[:, 0])
            weights[~usable] = prior[~usable]
            model = loglinear.fit(design, batch.counts, weights, batch.offset)
            pearson = model.dispersion(batch.counts)
        phi = np.maximum(pearson, 1.0)
        log_mean, variance = model.predict(batch.current, batch.time_now)
        log_mean = log_mean + batch.offset_now
        test_dispersion, se_dispersion = pearson, phi
        if self.flexible is not None:
            test_dispersion = se_dispersion = phi
            if self.r_compat:
                # R overwrites the working weights of a re-weighted fit by the prior ones, then takes this.
                quirk = model.dispersion(batch.counts, weights) if self.options.reweight else pearson
                test_dispersion = se_dispersion = quirk
        if trend:
            usable &= self._trend_holds(model, batch, log_mean, test_dispersion)
        usable &= ~np.isnan(phi) & ~np.isnan(log_mean)
        at = to[usable]
        prediction.log_mean[at] = log_mean[usable]
        prediction.variance[at] = variance[usable]
        prediction.phi[at] = phi[usable]
        prediction.se_dispersion[at] = se_dispersion[usable]
        prediction.fitted[at] = True
        return usable

    def _weights(self, model: loglinear.Fit, design: loglinear.Design, batch: _Batch, phi: Floats) -> Floats:
        """Weights that sum to the known rows; one far above its mean weighs the inverse square of how far."""
        threshold = 1.0 if self.flexible is None else self.flexible.weights_threshold
        with np.errstate(all="ignore"):
            # Anscombe's residual times what it is divided by to be standardised.
            root6 = np.sqrt(np.cbrt(model.mean))
            raw = 1.5 * (batch.counts.two_thirds / root6 - root6 * root6 * root6)
            unit = np.sqrt(phi[:, None] * (1.0 - model.leverage(design)))
            weights = np.ones(raw.shape)
            # A row that alone decides its own mean has no residual but rounding.
            far = (raw > threshold * unit) & (unit > 0.0)
            weights[far] = (unit[far] / raw[far]) ** 2
            weights[~batch.known] = 0.0
            n_known = np.count_nonzero(batch.known, axis=1)
            weights *= (n_known / weights.sum(axis=1))[:, None]
            return weights

    def _trend_holds(
        self, model: loglinear.Fit, batch: _Batch, log_mean: Floats, dispersion: Floats
    ) -> Bools:
        """Whether the slope is significant and does not lead beyond what was seen."""
        needed = 0.05 if self.flexible is None else self.flexible.trend_p
        seen = batch.counts.values.max(axis=1)
        with np.errstate(all="ignore"):
            t = model.slope / np.sqrt(dispersion / model.time_spread)
            p = 2.0 * special.stdtr(model.degrees_of_freedom, -np.abs(t))
            holds: Bools = (p < needed) & (loglinear.mean_of(log_mean) <= seen)
            return holds


def _numbers_per_series(series: SeriesSet, rows: Rows, options: FarringtonOptions) -> int:
    """The series twice and the answers; baselines are gathered in batches of their own."""
    return 2 * int(series.counts.shape[0]) + 4 * rows.size


FARRINGTON = Detector("farrington", FarringtonOptions(), farrington, _numbers_per_series)
FARRINGTON_FLEXIBLE = Detector("farrington-flexible", NOUFAILY_2012, farrington_flexible, _numbers_per_series)
