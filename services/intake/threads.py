"""Blocking clients beside the event loop."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class Worker:
    """One thread that runs calls in the order in which they were asked for.

    It is a daemon thread: a client that waits for a dead server must not keep the process from ending, as
    the threads of an executor would.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(
        self, call: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """Wait for a call's result. When the caller is cancelled before its turn, the call is not made."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Result] = loop.create_future()

        def settle(result: _Result | None, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def make_call() -> None:
            if future.cancelled():
                return
            result, error = None, None
            try:
                result = call(*args, **kwargs)
            except Exception as raised:
                error = raised
            tell(loop, settle, result, error)

        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._calls.put(make_call)
        return await future

    async def finish(self, last: Callable[[], None], patience_seconds: float) -> None:
        """Run a last call and end the thread. Where the thread hangs, both happen when it no longer does.

        The call is not made when there was none before it: then there is nothing to close.
        """
        if self._thread is None:
            return
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def make_last_call() -> None:
            try:
                last()
            finally:
                tell(loop, done.set)

        self._calls.put(make_last_call)
        self._calls.put(None)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                await done.wait()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object) -> None:
    """Run a callback in the loop from another thread; nothing happens when the loop is gone."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        # Only a closed loop refuses: whoever waited there is gone as well.
        if not loop.is_closed():
            raise
