"""The people's store beside the event loop: looking somebody up never waits for a password being hashed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Concatenate, Final, ParamSpec, TypeVar

from services.intake.people.ports import PeopleStore, StaffAction
from services.intake.problems import Refused
from services.intake.threads import Worker

MOST_WAITING: Final = 50
"""Acts that may wait at once: a password takes a twentieth of a second, and nobody waits longer than some."""

_CLOSE_SECONDS: Final = 2.0

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class Desk:
    """Runs what blocks in two threads of its own; implements the Trail port."""

    def __init__(self, reading: PeopleStore, acting: PeopleStore, clock: Callable[[], datetime]) -> None:
        """`reading` answers who somebody is, `acting` does the rest; `clock` gives an aware datetime."""
        self.clock = clock
        self._reading = reading
        self._acting = acting
        self._readers = Worker("intake-people-read")
        self._actors = Worker("intake-people-act")
        self._waiting = 0

    async def look(
        self,
        call: Callable[Concatenate[PeopleStore, _Parameters], _Result],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> _Result:
        """Make a short call with the store; raises what it raises."""
        return await self._readers.run(call, self._reading, *args, **kwargs)

    async def act(
        self,
        call: Callable[Concatenate[PeopleStore, _Parameters], _Result],
        *args: _Parameters.args,
        **kwargs: _Parameters.kwargs,
    ) -> _Result:
        """Make a call that may hash a password or write.

        Raises:
            Refused: busy, too many wait already.
            CanhDichError: what the call raises.
        """
        if self._waiting >= MOST_WAITING:
            raise Refused("busy")
        self._waiting += 1
        try:
            return await self._actors.run(call, self._acting, *args, **kwargs)
        finally:
            self._waiting -= 1

    async def record(self, action: StaffAction) -> None:
        """Write an action into the trail."""
        await self.act(lambda store: store.record(action))

    async def senders(self, subject: str) -> Mapping[str, str]:
        """Who sent the events of a case, by event id."""
        return await self.look(lambda store: store.senders(subject))

    async def close(self) -> None:
        """Give the connections up; one that hangs is left to the end of the process."""
        await self._readers.finish(self._reading.close, _CLOSE_SECONDS)
        await self._actors.finish(self._acting.close, _CLOSE_SECONDS)
