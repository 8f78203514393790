"""Print the table of docs/alert-performance.md: `python -m tests.season [--seed N] [--json-lines FILE]`."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.season.alarms import by_all
from tests.season.score import scores, table
from tests.season.simulate import simulate

SEED = 20270104


def main() -> None:
    """Simulate, judge, score, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.season", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--communes", type=int, default=100)
    parser.add_argument("--json-lines", type=Path, help="one score a line")
    asked = parser.parse_args()
    season, without = simulate(asked.seed, asked.communes)
    cases = sum(map(len, season.cases.values()))
    print(f"seed {asked.seed}: {cases} cases, {len(season.outbreaks)} outbreaks", file=sys.stderr)
    where = {(outbreak.disease, outbreak.commune) for outbreak in season.outbreaks}
    found = scores(season, by_all(season), by_all(without, where))
    if asked.json_lines is not None:
        rows = [asdict(score) | {"seed": asked.seed} for score in found]
        asked.json_lines.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
