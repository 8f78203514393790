"""The charts of a report, drawn by Vega-Lite (vl-convert: no browser, and a font with every Vietnamese
letter comes with it)."""

from threading import Thread
from typing import Any, Final

import vl_convert

from services.report.document import Document

WIDTH: Final = 620
"""Of the plot in pixels, before `SCALE`; on paper 16 cm with its axes."""
SCALE: Final = 2.0
_FONT: Final = "DejaVu Sans, Liberation Sans"
"""The second comes with vl-convert, but an older one of that name on the machine hides it and has not every
letter."""

_THOUSANDS: Final = "replace(format(datum.value, ',d'), /,/g, '.')"
_MONTH_OR_WEEK: Final = (
    "length(datum.value) == 7 ? toNumber(slice(datum.value, 5)) + '/' + slice(datum.value, 0, 4) : "
    "'T' + slice(datum.value, 6) + '/' + slice(datum.value, 0, 4)"
)
"""As Vega's expressions: 1.971; 7/2023 for 2023-07, T27/2023 for 2023-W27."""


def draw(chart: Document, lang: str) -> bytes:
    """A chart as PNG."""
    cases = "Số ca" if lang == "vi" else "Cases"
    is_vietnamese = lang == "vi"
    counted = {"tickMinStep": 1, **({"labelExpr": _THOUSANDS} if is_vietnamese else {})}
    axis = {"field": "cases", "type": "quantitative", "title": cases, "axis": counted}
    spec: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "data": {"values": chart["data"]},
        "config": {
            "axis": {
                "labelFont": _FONT,
                "titleFont": _FONT,
                "labelFontSize": 13,
                "titleFontSize": 13,
                "labelLimit": 260,
            },
            "legend": {
                "labelFont": _FONT,
                "labelFontSize": 13,
                "labelLimit": 300,
                "orient": "bottom",
                "columns": 3,
                "title": None,
            },
            "range": {"category": {"scheme": "tableau10"}},
        },
    }
    if chart["key"] == "time":
        order = chart["series"]
        spec |= {
            "mark": "bar",
            "height": 190,
            "encoding": {
                "x": {
                    "field": "time",
                    "type": "ordinal",
                    "title": None,
                    "axis": {"labelAngle": -45, **({"labelExpr": _MONTH_OR_WEEK} if is_vietnamese else {})},
                },
                "y": {**axis, "stack": "zero"},
                "color": {"field": "series", "type": "nominal", "sort": order},
            },
        }
    elif chart["key"] == "disease":
        spec |= {
            "mark": "bar",
            "height": {"step": 16},
            "encoding": {
                "x": axis,
                "y": {"field": "name", "type": "nominal", "title": None, "sort": None},
                "yOffset": {"field": "series", "type": "nominal", "sort": None},
                "color": {"field": "series", "type": "nominal", "sort": None},
            },
        }
    else:
        spec |= {
            "mark": "bar",
            "height": {"step": 22},
            "encoding": {
                "x": axis,
                "y": {"field": "name", "type": "nominal", "title": None, "sort": "-x"},
            },
        }
    return vl_convert.vegalite_to_png(spec, scale=SCALE)


def begin_drawing() -> None:
    """Start the engine beside the caller: its first chart takes a second, which the database can use."""
    # No daemon: a thread within the engine must not see the interpreter go.
    Thread(target=draw, args=({"key": "district", "data": []}, "vi"), name="charts").start()
