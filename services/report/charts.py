"""The charts of a report, drawn by Vega-Lite (vl-convert: no browser, and a font with every Vietnamese
letter comes with it) in a process of their own: services/report/painter.py says why."""

import atexit
import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    # It brings in all that a report is made of; the painter is started before.
    from services.report.document import Document

WIDTH: Final = 620
"""Of the plot in pixels, before the painter scales it; on paper 16 cm with its axes."""
_LENGTH_BYTES: Final = 8
_LONGEST_SECONDS: Final = 120
_FONT: Final = "DejaVu Sans, Liberation Sans"
"""The second comes with vl-convert, but an older one of that name on the machine hides it and has not every
letter."""

_THOUSANDS: Final = "replace(format(datum.value, ',d'), /,/g, '.')"
_MONTH_OR_WEEK: Final = (
    "length(datum.value) == 7 ? toNumber(slice(datum.value, 5)) + '/' + slice(datum.value, 0, 4) : "
    "'T' + slice(datum.value, 6) + '/' + slice(datum.value, 0, 4)"
)
"""As Vega's expressions: 1.971; 7/2023 for 2023-07, T27/2023 for 2023-W27."""


def specification(chart: "Document", lang: str) -> dict[str, Any]:
    """A chart as Vega-Lite."""
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
    return spec


class Painter:
    """A process that draws, and a thread that waits for it. It lives as long as ours does."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "charts")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "services.report.painter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    @property
    def is_alive(self) -> bool:
        """Whether it can still draw."""
        return self._process.poll() is None

    def draw(self, specifications: Sequence[dict[str, Any]]) -> "Drawing":
        """Begin to draw, once it has drawn what others want."""
        return Drawing(self, self._thread.submit(self._draw, specifications))

    def end(self) -> None:
        """Whatever it is doing."""
        self._process.kill()
        self._process.communicate()
        self._thread.shutdown()

    def _draw(self, specifications: Sequence[dict[str, Any]]) -> list[bytes]:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None  # noqa: S101 - both are pipes
        assert back is not None  # noqa: S101
        pictures = []
        for specification in specifications:
            to.write(json.dumps(specification).encode() + b"\n")
            to.flush()
            length = int.from_bytes(back.read(_LENGTH_BYTES), "big")
            picture = back.read(length)
            if not length or len(picture) != length:
                raise OSError("the painter has ended")
            pictures.append(picture)
        return pictures


@dataclass(frozen=True, slots=True)
class Drawing:
    """Charts that are being drawn."""

    painter: Painter
    future: Future[list[bytes]]

    def pictures(self) -> list[bytes]:
        """The charts as PNG, in their order.

        Raises:
            RuntimeError: they could not be drawn; standard error says why.
        """
        try:
            return self.future.result(_LONGEST_SECONDS)
        except (OSError, TimeoutError) as error:
            self.painter.end()
            raise RuntimeError(f"the charts were not drawn: {error}") from error


_painters: Final[list[Painter]] = []
_ahead: Final[list[tuple[list[dict[str, Any]], Drawing]]] = []
"""What is being drawn for somebody who has not asked for it yet; the last one alone is kept."""
_lock: Final = Lock()


def begin_drawing() -> Painter:
    """The painter, which is started where there is none: that takes a second, which the caller can use."""
    with _lock:
        if _painters and not _painters[0].is_alive:
            _painters.pop().end()
        if not _painters:
            _painters.append(Painter())
        return _painters[0]


def draw_ahead(charts: "Sequence[Document]", lang: str) -> Drawing:
    """Begin to draw what `draw` will soon be asked for."""
    wanted = [specification(chart, lang) for chart in charts]
    drawing = begin_drawing().draw(wanted)
    with _lock:
        _ahead[:] = [(wanted, drawing)]
    return drawing


def draw(charts: "Sequence[Document]", lang: str) -> Drawing:
    """Begin to draw some charts, or go on with these very ones."""
    wanted = [specification(chart, lang) for chart in charts]
    with _lock:
        if _ahead and _ahead[0][0] == wanted:
            return _ahead.pop()[1]
    return begin_drawing().draw(wanted)


@atexit.register
def _end_drawing() -> None:
    while _painters:
        _painters.pop().end()
