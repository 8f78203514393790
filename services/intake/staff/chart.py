"""Small charts as SVG, made here: no script, no style attribute (the pages' CSP refuses both)."""

from collections.abc import Sequence
from html import escape
from typing import Final

from markupsafe import Markup

_BAR: Final = 6
_GAP: Final = 2
_HEIGHT: Final = 28


def week_bars(counts: Sequence[int | None], label: str) -> Markup:
    """One bar a week, the last one marked; the picture says in words what it shows.

    Args:
        counts: Oldest first. Zero is drawn as a line on the ground, None (not known) as a gap.
        label: What a reader who does not see the picture is told.

    >>> str(week_bars([0, 2], "a < b")).count("<rect"), "a &lt; b" in week_bars([0, 2], "a < b")
    (2, True)
    """
    highest = max((count for count in counts if count is not None), default=0)
    width = len(counts) * (_BAR + _GAP) - _GAP if counts else 0
    bars = []
    for place, count in enumerate(counts):
        if count is None:
            continue
        # A count that is not zero is seen, however small it is beside the highest.
        height = max(2.0, round(_HEIGHT * count / highest, 1)) if count else 1.0
        kind = "now" if place == len(counts) - 1 else "then"
        bars.append(
            f'<rect class="{kind}" x="{place * (_BAR + _GAP)}" y="{_HEIGHT - height:g}" width="{_BAR}" '
            f'height="{height:g}"/>'
        )
    said = escape(label)
    return Markup(  # noqa: S704 - numbers, and the escaped label
        f'<svg class="bars" viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}" role="img" '
        f'aria-label="{said}"><title>{said}</title>{"".join(bars)}</svg>'
    )
