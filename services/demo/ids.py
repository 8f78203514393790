"""The ids of the demo's events: the same seed gives the same ones."""

import datetime as dt
import random
from typing import Final
from uuid import UUID

DEFAULT_SEED: Final = 12


def uuid7(time: dt.datetime, rng: random.Random) -> UUID:
    """A version 7 UUID of a given time: the milliseconds since 1970, the rest from the generator."""
    milliseconds = int(time.timestamp() * 1000)
    return UUID(
        int=milliseconds << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    )
