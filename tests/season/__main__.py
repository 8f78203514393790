"""Print the table of docs/alert-performance.md: `python -m tests.season [--seeds N] [--json-lines FILE]`."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.season.alarms import by_all
from tests.season.score import Score, scores, table
from tests.season.simulate import simulate

SEED = 20270104


def main() -> None:
    """Simulate, judge, score, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.season", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="of the first season")
    parser.add_argument("--seeds", type=int, default=1, help="how many seasons, from that seed on")
    parser.add_argument("--communes", type=int, default=100)
    parser.add_argument("--json-lines", type=Path, help="one score a line")
    asked = parser.parse_args()
    found = {seed: _season(seed, asked.communes) for seed in range(asked.seed, asked.seed + asked.seeds)}
    if asked.json_lines is not None:
        rows = [asdict(score) | {"seed": seed} for seed, listed in found.items() for score in listed]
        asked.json_lines.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    print("\n".join(table(list(found.values()))))


def _season(seed: int, communes: int) -> Sequence[Score]:
    season, without = simulate(seed, communes)
    cases = sum(map(len, season.cases.values()))
    print(f"seed {seed}: {cases} cases, {len(season.outbreaks)} outbreaks", file=sys.stderr)
    where = {(outbreak.disease, outbreak.commune) for outbreak in season.outbreaks}
    return scores(season, by_all(season), by_all(without, where))


if __name__ == "__main__":
    main()
