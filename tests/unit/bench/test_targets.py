"""The bench says truly whether a target was reached."""

import pytest

from tests.bench.__main__ import targets
from tests.bench.results import Measured


def found(**rates: float) -> list[Measured]:
    ways = {"b": "upserts", "c": "executemany", "d": "COPY", "j": "rebuild"}
    memory = {"memory_first_half_mib": 100.0, "memory_last_half_mib": 108.0}
    one = Measured("a", "Faust, 1 worker(s)", 1_000, 1_000 / rates.pop("one"), memory)
    two = Measured("a", "Faust, 2 worker(s)", 1_000, 1_000 / rates.pop("two"))
    loop = Measured("a", "plain", 1_000, 1_000 / rates.pop("loop"))
    rebuilt = {"folding_per_second": 1.5 * rates["j"]}
    others = (
        Measured(x, ways[x], 1_000, 1_000 / rate, rebuilt if x == "j" else {}) for x, rate in rates.items()
    )
    return [one, two, loop, *others]


@pytest.mark.parametrize(
    ("rates", "missed"),
    [
        ({"one": 80, "two": 120, "loop": 100, "b": 2.5, "c": 100, "d": 480, "j": 120}, set()),
        (
            {"one": 70, "two": 119, "loop": 100, "b": 3, "c": 100, "d": 480, "j": 79},
            {
                "(a) : (b), times",
                "(a) : (c), times",
                "(a) : (d), share",
                "(a), 1 worker : plain aiokafka loop, share",
                "(j) : (a), times",
                "(j) without comparing : (a), times",
            },
        ),
    ],
)
def test_a_target_is_reached_or_not(rates: dict[str, float], missed: set[str]) -> None:
    judged = list(targets(found(**rates)))
    assert {target.text for target in judged if not target.is_reached} == missed
    assert len(judged) == 7


def test_latency_and_memory_are_judged_the_right_way_round() -> None:
    slow = Measured("f", "latency", 1, 1.0, {"p50_ms": 251.0, "p99_ms": 999.0})
    assert [target.is_reached for target in targets([slow])] == [False, True]
    grown = {"memory_first_half_mib": 100.0, "memory_last_half_mib": 111.0}
    judged = list(targets([Measured("a", "Faust, 1 worker(s)", 1, 1.0, grown)]))
    assert [target.is_reached for target in judged] == [False]


def test_a_report_within_three_seconds_is_one_as_docx() -> None:
    measured = [
        Measured("r", "report as docx, largest province", 0, 3.1),
        Measured("r", "report as docx, smallest province", 0, 2.9),
        Measured("r", "report as md, largest province", 0, 9.0),
    ]
    assert [target.is_reached for target in targets(measured)] == [False, True]
