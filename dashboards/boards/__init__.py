"""Every board, one module each."""

from collections.abc import Sequence
from typing import Final

from dashboards.boards import alerts, area, disease, overview, quality
from dashboards.framework import Board

BOARDS: Final[Sequence[Board]] = (overview.BOARD, disease.BOARD, area.BOARD, alerts.BOARD, quality.BOARD)
