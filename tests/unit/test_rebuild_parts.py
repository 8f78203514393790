"""Logs are shared out between the processes of a rebuild so that all have about as much to do."""

import pytest

from streams.stores.rebuild_folding import Log
from streams.stores.rebuild_parts import shared_out


@pytest.mark.parametrize(
    ("sizes", "number", "loads"),
    [
        ([5, 9, 5], 2, [9, 10]),
        ([100] * 12, 2, [600, 600]),
        ([100] * 12, 8, [200] * 4 + [100] * 4),
        ([7, 1, 1, 1, 1, 1, 1, 1], 2, [7, 7]),
        ([3], 2, [3, 0]),
        ([], 2, [0, 0]),
    ],
)
def test_every_log_goes_to_one_process_and_none_has_much_more_than_another(
    sizes: list[int], number: int, loads: list[int]
) -> None:
    given = {Log("case", partition): size for partition, size in enumerate(sizes)}
    part_of = shared_out(given, number)
    assert part_of.keys() == given.keys()
    assert [sum(given[log] for log in part_of if part_of[log] == part) for part in range(number)] == loads
