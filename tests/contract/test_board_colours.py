"""No two colours of a panel are nearly the same, neither to people who do not see red or green.

Colours are compared as CIE 1976 L*a*b* values (their distance, "delta E"), as they are and as Machado,
Oliveira and Fernandes (2009, IEEE Transactions on Visualization and Computer Graphics 15:1291) have them seen
without red or without green receptors. Colours that are the same belong together and are meant.
"""

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dashboards.__main__ import GENERATED
from dashboards.framework import DISEASE_COLOURS, PALE, SHARED_COLOURS, VERMILION

WHITE = "#FFFFFF"
LEAST = 15.0
"""A step of 2 is seen side by side; bars and lines lie apart, and are thin."""

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
_SEEN: Mapping[str, Matrix] = {
    "everybody": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "without red": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998),
    ),
    "without green": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881),
    ),
}  # fmt: skip
_XYZ: Matrix = (
    (0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041),
)  # fmt: skip
_D65: Vector = (0.95047, 1.0, 1.08883)


def _times(matrix: Matrix, vector: Vector) -> Vector:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def _lab(linear: Vector) -> Vector:
    inside = min(1.0, max(0.0, linear[0])), min(1.0, max(0.0, linear[1])), min(1.0, max(0.0, linear[2]))
    x, y, z = (
        math.cbrt(value / white) if value / white > 216 / 24389 else (24389 / 27 * value / white + 16) / 116
        for value, white in zip(_times(_XYZ, inside), _D65, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str) -> float:
    """Between two colours, to those who tell them apart worst."""

    def linear(colour: str) -> Vector:
        red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        first, second, third = (
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            for value in (red, green, blue)
        )
        return first, second, third

    return min(
        math.dist(_lab(_times(matrix, linear(one))), _lab(_times(matrix, linear(other))))
        for matrix in _SEEN.values()
    )


def near(colours: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of different colours that are hard to tell apart."""
    return [pair for pair in itertools.combinations(sorted(set(colours)), 2) if distance(*pair) < LEAST]


def colours_of(panel: Mapping[str, Any]) -> Iterator[str]:
    """The fixed colours of a panel's columns or series."""
    for override in panel["fieldConfig"].get("overrides", ()):
        for one in override["properties"]:
            if one["id"] == "color" and one["value"].get("mode") == "fixed":
                yield one["value"]["fixedColor"]


BOARDS = sorted(GENERATED.glob("vi/*.json"))


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: str(path.stem))
def test_the_colours_of_a_panel_are_told_apart(path: Path) -> None:
    panels = json.loads(path.read_text("utf-8"))["panels"]
    assert {panel["title"]: near(colours_of(panel)) for panel in panels if near(colours_of(panel))} == {}
    assert any(len(set(colours_of(panel))) > 1 for panel in panels)


def test_diseases_are_told_apart_from_each_other_and_from_alerts() -> None:
    assert len(set(DISEASE_COLOURS.values())) == len(DISEASE_COLOURS)
    assert near([*DISEASE_COLOURS.values(), PALE, VERMILION, WHITE]) == []
    assert set(SHARED_COLOURS) < set(DISEASE_COLOURS.values())


def test_colours_that_are_nearly_the_same_are_found() -> None:
    dark_reds = ["#C4162A", "#AD0317", "#B00020"]
    assert len(near(dark_reds)) == 3
    # Okabe and Ito's purple beside a middle grey: alike without green receptors, and to nobody else.
    assert near(["#CC79A7", "#999999"]) == [("#999999", "#CC79A7")]
    assert near(["#CC79A7", "#666666", "#CC79A7"]) == []


def test_distances_are_those_of_cielab() -> None:
    assert distance("#000000", "#FFFFFF") == pytest.approx(100, abs=0.05)
    assert distance("#0072B2", "#0072B2") == 0
    # Red and green: 170.6 to everybody, far less to some.
    assert distance("#FF0000", "#00FF00") < 100
