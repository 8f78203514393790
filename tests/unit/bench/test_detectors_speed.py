"""The comparison with R finds what differs; without R it says so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench import detectors_speed
from tests.bench.detectors_speed import Agreement, DetectorSpeed, agreement, made_up, ours, report, run


def test_agreement_counts_what_differs() -> None:
    detection, speed = ours(made_up(3), r_compat=True, repeats=1)
    assert speed.series_weeks == detection.alarm.size == 156
    known = ~np.isnan(detection.upperbound)

    same = agreement(detection, detection.upperbound.copy(), detection.alarm.copy())
    assert same == Agreement(int(known.sum()), 0.0, 0)

    row, column = np.argwhere(known)[0]
    bounds, alarms = detection.upperbound.copy(), detection.alarm.copy()
    bounds[row, column] /= 1.01
    assert agreement(detection, bounds, alarms).farthest == pytest.approx(0.01, rel=0.001)
    bounds[row, column] = np.nan
    alarms[-1, -1] ^= True
    assert agreement(detection, bounds, alarms).differ == 2


def test_without_r_only_ours_are_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    speeds, found = run(n_series=2, n_series_of_r=1)

    assert [speed.way for speed in speeds] == ["ours, published", "ours, r-compat"]
    assert report(speeds, found)[-1] == "R not available: only ours measured"


def test_an_answer_that_is_not_r_s_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "Rscript"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    speed = DetectorSpeed("R", 52, 1.0)
    monkeypatch.setattr(
        detectors_speed, "by_r", lambda *_: (np.ones((52, 1)), np.ones((52, 1), np.bool_), speed)
    )
    with pytest.raises(RuntimeError, match="do not agree"):
        run(n_series=2, n_series_of_r=1)


def test_an_r_that_fails_says_what_it_said(tmp_path: Path) -> None:
    program = tmp_path / "Rscript"
    program.write_text("#!/bin/sh\necho 'there is no package called surveillance' >&2\nexit 1\n", "utf-8")
    program.chmod(0o755)
    with pytest.raises(RuntimeError, match="no package called surveillance"):
        detectors_speed.by_r(made_up(1), str(program))


def test_the_report_says_how_many_times() -> None:
    speed = DetectorSpeed("ours, published", 1000, 0.1)
    speeds = [speed, replace(speed, way="ours, r-compat", seconds=0.2), DetectorSpeed("R", 100, 1.0)]
    assert report(speeds, Agreement(90, 0.0, 0))[-2:] == [
        "faster than R: 50 times in its own mode, 100 times as published",
        "agreement: 90 bounds, farthest 0.0e+00, 0 rows differ",
    ]
