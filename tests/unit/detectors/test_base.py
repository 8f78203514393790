"""Series of counts: what is refused, and rows of time put where a dated series has none."""

import numpy as np
import pytest

from streams.domain.detectors import DETECTORS, MESSAGES, Reason, SeriesSet
from streams.domain.detectors.base import known_mean_and_sd

ONE = np.ones((4, 1))
MONDAYS = np.datetime64("2023-01-02") + 7 * np.arange(4)


@pytest.mark.parametrize(
    ("counts", "frequency", "dates", "population", "message"),
    [
        (np.ones(4), 52, None, None, "axes"),
        (-ONE, 52, None, None, "Row 0 of series 0 has the count -1.0"),
        (ONE * np.inf, 52, None, None, "has the count inf"),
        (ONE * 1e19, 52, None, None, "to 1e\\+18"),
        (ONE, 0, None, None, "at least one row per year"),
        (ONE, 52, MONDAYS[:3], None, "4 rows of counts"),
        (ONE, 52, MONDAYS[::-1], None, "Dates ascend"),
        (ONE, 52, MONDAYS[[0, 1, 1, 2]], None, "Dates ascend"),
        (ONE, 52, np.array(["NaT"] * 4, dtype="datetime64[D]"), None, "none is missing"),
        (ONE, 52, None, np.ones((3, 1)), "shape"),
        (ONE, 52, None, ONE * 0, "above zero"),
    ],
)
def test_what_is_no_series_is_refused(
    counts: np.ndarray,
    frequency: int,
    dates: np.ndarray | None,
    population: np.ndarray | None,
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        SeriesSet(counts, frequency, dates, population)


@pytest.mark.parametrize(
    ("frequency", "dates", "places"),
    [
        (52, np.datetime64("2023-01-02") + 7 * np.array([0, 1, 4, 5]), [0, 1, 4, 5]),
        (365, np.datetime64("2024-02-28") + np.array([0, 1, 2, 9]), [0, 1, 2, 9]),
        (
            12,
            np.array(["2023-11-15", "2023-12-15", "2024-03-15", "2024-04-15"], "datetime64[D]"),
            [0, 1, 4, 5],
        ),
    ],
)
def test_missing_dates_become_unknown_counts(
    frequency: int,
    dates: np.ndarray,
    places: list[int],
) -> None:
    counts = np.array([[1.0, 5], [2, 6], [3, 7], [4, 8]])

    grid, rows = SeriesSet(counts, frequency, dates, counts).on_a_grid(np.array([1, 3]))

    assert grid.dates is not None
    assert grid.population is not None
    assert rows.tolist() == [places[1], places[3]]
    np.testing.assert_array_equal(grid.counts[places], counts)
    np.testing.assert_array_equal(grid.population[places], counts)
    np.testing.assert_array_equal(grid.dates[places], dates)
    assert np.isnan(np.delete(grid.counts, places, axis=0)).all()


@pytest.mark.parametrize(
    ("frequency", "dates"),
    [
        (52, np.datetime64("2023-01-02") + np.array([0, 7, 15, 21])),
        (12, np.array(["2023-11-15", "2023-12-15", "2024-01-16", "2024-04-15"], "datetime64[D]")),
        (12, np.array(["2023-11-15", "2023-11-16", "2024-01-15", "2024-04-15"], "datetime64[D]")),
        (4, np.datetime64("2023-01-02") + 91 * np.arange(4)),
    ],
)
def test_dates_out_of_step_are_refused(frequency: int, dates: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"dates|Dated"):
        SeriesSet(ONE, frequency, dates).on_a_grid(np.array([0]))


@pytest.mark.parametrize("name", DETECTORS)
def test_rows_outside_the_series_are_refused(name: str) -> None:
    for rows in ([4], [-1], [[0]]):
        with pytest.raises(ValueError, match="from 0 to 3"):
            DETECTORS[name].detect(SeriesSet(ONE, 52), rows)


@pytest.mark.parametrize("name", DETECTORS)
def test_nothing_asked_is_nothing_answered(name: str) -> None:
    assert DETECTORS[name].detect(SeriesSet(ONE, 52), []).alarm.shape == (0, 1)
    assert DETECTORS[name].detect(SeriesSet(np.ones((4, 0)), 52)).upperbound.shape == (4, 0)


def test_a_flat_baseline_has_no_spread_at_all() -> None:
    # A rolling sum would leave 1e-16 here, and false alarms with it.
    window = np.full((1, 7, 1), 0.1) * 3

    mean, sd = known_mean_and_sd(np.rint(window * 1e6), 7)

    assert sd[0, 0] == 0.0
    assert mean[0, 0] == 300_000


def test_every_reason_has_its_words() -> None:
    assert set(MESSAGES) == set(Reason)
