"""`python -m dashboards`: write the JSON of every board in every language; `--check` only compares."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as dm

from dashboards.boards import BOARDS
from dashboards.framework import LANGUAGES

GENERATED: Final = Path(__file__).parent / "generated"


def generate() -> dict[str, str]:
    """The JSON of every board by its file's name below `generated`: `vi/overview.json`."""
    return {
        f"{language}/{board.name}.json": as_json(board.build(language))
        for board in BOARDS
        for language in LANGUAGES
    }


def as_json(board: dm.Dashboard) -> str:
    """A board as Grafana 11, 12 and 13 read it: sorted, so that a change is seen as what it is."""
    encoded = json.loads(JSONEncoder().encode(board))
    return json.dumps(_readable_by_all(encoded), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _readable_by_all(node: Any) -> Any:
    """Without `placement` of links and variables, which Grafana knows from 12.3 on; legends have theirs."""
    if isinstance(node, dict):
        return {
            name: _readable_by_all(value)
            for name, value in node.items()
            if name != "placement" or "showLegend" in node
        }
    return [_readable_by_all(item) for item in node] if isinstance(node, list) else node


def differences(folder: Path = GENERATED) -> Iterator[str]:
    """What is not as it would be generated, one sentence each."""
    wanted = generate()
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in sorted(there - set(wanted)):
        yield f"{name}: no board makes it"
    for name, text in wanted.items():
        if name not in there:
            yield f"{name} is missing"
        elif (folder / name).read_text("utf-8") != text:
            yield f"{name} is not what the code makes"


def write(folder: Path = GENERATED) -> None:
    """Write every board, and delete what no board makes."""
    wanted = generate()
    for path in [
        path for path in folder.rglob("*.json") if path.relative_to(folder).as_posix() not in wanted
    ]:
        path.unlink()
    for name, text in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def main() -> int:
    """Write or compare; exit code 1 where they differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say what differs")
    if not parser.parse_args().check:
        write()
        return 0
    found = list(differences())
    for sentence in found:
        print(f"{sentence}: run `make generated`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
