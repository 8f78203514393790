"""Run a Faust app until it is told to stop."""

import asyncio
import logging
import os

import faust


class _Worker(faust.Worker):  # type: ignore[misc]
    """Faust's own, which leaves logging as the service has set it up."""

    def _setup_logging(self) -> None:
        """Nothing: the root logger has its handler."""


def run_app(app: faust.App) -> int:
    """Run one worker of an app; returns only when it ends without an exit code of its own.

    The process then ends at once: returning would wait for a thread, which may hang in a call to the database
    for minutes. Whether its transaction was committed, the next process sees in the database.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        _Worker(app, loop=loop, redirect_stdouts=False).execute_from_commandline()
    except SystemExit as ended:
        logging.shutdown()
        os._exit(ended.code if isinstance(ended.code, int) else 0)
    return 0
