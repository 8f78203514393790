"""Statistical detectors: is this count more than what came before it leads one to expect?

Pure: numpy and scipy only; time is axis 0. docs/indicators/detectors.md says what each one does.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from streams.domain.detectors.base import MESSAGES, Detection, Detector, Reason, SeriesSet
from streams.domain.detectors.choice import Choice, choose
from streams.domain.detectors.cusum import CUSUM
from streams.domain.detectors.ears import EARS_C1, EARS_C2, EARS_C3
from streams.domain.detectors.farrington import FARRINGTON, FARRINGTON_FLEXIBLE
from streams.domain.detectors.same_season import BAYES, RKI

__all__ = ["DETECTORS", "MESSAGES", "Choice", "Detection", "Detector", "Reason", "SeriesSet", "choose"]

DETECTORS: Mapping[str, Detector[Any]] = MappingProxyType(
    {
        detector.name: detector
        for detector in (EARS_C1, EARS_C2, EARS_C3, FARRINGTON, FARRINGTON_FLEXIBLE, CUSUM, BAYES, RKI)
    }
)
"""Every detector, by its name on the command line."""
