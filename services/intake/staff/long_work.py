"""Work that takes longer than a request: done in a thread, looked at by the pages, kept for a while."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, Literal, Protocol, TypeVar
from uuid import UUID, uuid4

import structlog

from services.intake.threads import Worker
from streams.domain.errors import CanhDichError

RunState = Literal["waiting", "running", "done", "failed"]

KEEP: Final = timedelta(hours=1)
"""So long after it was last looked at something may be fetched."""
MOST_KEPT: Final = 12
MOST_OF_A_PERSON: Final = 3

_Result = TypeVar("_Result")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Run(Generic[_Result]):
    """One piece of work; its thread writes, pages read.

    Attributes:
        state: Where it stands.
        done, total: Rows so far, and about how many there are; 0 where that is not known.
        result: Of work that is done.
        fault: Why it failed; None for a fault of the program, which stands in the log.
    """

    state: RunState = "waiting"
    done: int = 0
    total: int = 0
    result: _Result | None = None
    fault: CanhDichError | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ("done", "failed")

    @property
    def percent(self) -> int:
        """Of the rows, for a progress bar; never 100 before the end."""
        return min(99, 100 * self.done // self.total) if self.total else 0

    def advance(self, rows: int) -> None:
        """So many more rows are done."""
        self.done += rows


class LongWork:
    """One thread that does one piece of work after the other; the loop goes on serving."""

    def __init__(self, name: str) -> None:
        self._worker = Worker(name)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Callable[[Run[_Result]], _Result], run: Run[_Result]) -> None:
        """Do it as soon as what was asked for before is done; `run` says how far it is."""
        task = asyncio.create_task(self._do(run, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What waits is not begun; what runs is left to the end of the process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._worker.finish(lambda: None, 0.0)

    async def _do(self, run: Run[_Result], work: Callable[[Run[_Result]], _Result]) -> None:
        def begin() -> _Result:
            run.state = "running"
            return work(run)

        try:
            run.result = await self._worker.run(begin)
        except CanhDichError as fault:
            run.fault, run.state = fault, "failed"
        except Exception as error:
            # Not its message: it may hold what was sent.
            log.error("long_work_failed", error=type(error).__name__)  # noqa: TRY400
            run.state = "failed"
        else:
            run.state = "done"


class Closable(Protocol):
    """What is kept for a while."""

    def close(self) -> None:
        """It is kept no longer."""

    @property
    def is_busy(self) -> bool:
        """Whether it must not be given up now."""


_Kept = TypeVar("_Kept", bound=Closable)


@dataclass(slots=True)
class _Place(Generic[_Kept]):
    owner: UUID
    thing: _Kept
    seen_at: datetime


@dataclass(slots=True)
class Shelf(Generic[_Kept]):
    """What people made and will come back for, each only their own; in memory, gone with the process."""

    clock: Callable[[], datetime]
    _places: dict[UUID, _Place[_Kept]] = field(default_factory=dict)

    def put(self, owner: UUID, thing: _Kept) -> UUID | None:
        """Keep something; None where there is no room. An owner's oldest makes room, unless it is busy."""
        self.clear_old()
        mine = [key for key, place in self._places.items() if place.owner == owner]
        idle = [key for key in mine if not self._places[key].thing.is_busy]
        for key in idle[: max(0, len(mine) + 1 - MOST_OF_A_PERSON)]:
            self._give_up(key)
            mine.remove(key)
        if len(mine) >= MOST_OF_A_PERSON or len(self._places) >= MOST_KEPT:
            return None
        key = uuid4()
        self._places[key] = _Place(owner, thing, self.clock())
        return key

    def get(self, owner: UUID, key: UUID) -> _Kept | None:
        """What an owner keeps under a key; None where there is nothing, or it is somebody else's."""
        self.clear_old()
        place = self._places.get(key)
        if place is None or place.owner != owner:
            return None
        place.seen_at = self.clock()
        return place.thing

    def of(self, owner: UUID) -> dict[UUID, _Kept]:
        """All that an owner keeps, the newest first."""
        self.clear_old()
        mine = [(key, place.thing) for key, place in self._places.items() if place.owner == owner]
        return dict(reversed(mine))

    def close(self) -> None:
        """Keep nothing any more."""
        for key in list(self._places):
            self._give_up(key)

    def clear_old(self) -> bool:
        """Give up what nobody has looked at for long; whether anything is left."""
        old = self.clock() - KEEP
        for key, place in list(self._places.items()):
            if place.seen_at < old and not place.thing.is_busy:
                self._give_up(key)
        return bool(self._places)

    def _give_up(self, key: UUID) -> None:
        self._places.pop(key).thing.close()
