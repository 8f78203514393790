"""`python -m services.report.painter`: draws charts in a process of its own, for services/report/charts.py.

vl-convert holds Python's lock for as long as it draws: within a server nothing else would be answered for
seconds, and a command could do nothing beside it. Standard input: a Vega-Lite specification a line. Standard
output: for each its PNG, behind the PNG's length (eight bytes, big endian). It ends with its input, and with
the first that cannot be drawn.
"""

import json
import sys
from typing import Any, Final

import vl_convert

_SCALE: Final = 2.0
"""Pixels of the picture for each of the plot."""

_ANY: Final[dict[str, Any]] = {
    "data": {"values": [{"x": "ế", "y": 1}]},
    "mark": "bar",
    "encoding": {"x": {"field": "x", "type": "nominal"}, "y": {"field": "y", "type": "quantitative"}},
}


def main() -> None:
    """Draw what comes."""
    # The engine takes a second to start: before anybody knows what to draw.
    vl_convert.vegalite_to_png(_ANY, scale=_SCALE)
    for specification in sys.stdin.buffer:
        picture = vl_convert.vegalite_to_png(json.loads(specification), scale=_SCALE)
        sys.stdout.buffer.write(len(picture).to_bytes(8, "big") + picture)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
