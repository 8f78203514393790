"""Processes that fold logs of the journals into one shadow side by side, each with its own connection.

They obey the process that rebuilds, over a pipe. Where that one is killed the pipe ends, and so do they,
after the page at hand at the latest. Where one of them fails or is killed, it hears of that and drops the
shadow.
"""

import signal
import traceback
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Final, NamedTuple, NoReturn

from schemas.sql import query
from streams.domain.as_of import Place
from streams.domain.catalogue import Catalogue
from streams.domain.errors import CanhDichError, DependencyDown
from streams.stores import database
from streams.stores.rebuild_folding import Folder, Journal, Log, Stretch

# A fork would share the connections and locks of the process that rebuilds.
_PROCESSES: Final = get_context("spawn")
_END_WITHIN: Final = 10.0


class _Order(NamedTuple):
    """Fold these; no catalogue: that of the order before."""

    stretches: Mapping[Log, Stretch]
    catalogue: Catalogue | None


class _Progress(NamedTuple):
    """So many more events of a journal are folded."""

    journal: Journal
    events: int


class _Done(NamedTuple):
    """Ready for an order; the one before was carried out up to these places."""

    places: Mapping[Log, Place]


class Parts:
    """So many processes, each with its share of the logs, for the length of a `with`.

    On leaving it by an error they are ended wherever they are.
    """

    def __init__(
        self,
        database_url: str,
        sizes: Mapping[Log, int],
        number: int,
        page: int,
        advance: Callable[[Journal, int], None],
    ) -> None:
        """
        Args:
            database_url: The live database, with a shadow.
            sizes: About how many events each log has.
            number: Of processes.
            page: Events folded in one transaction.
            advance: Called with the number of events of a journal folded since the last call.
        """
        self._database_url = database_url
        self._part_of = shared_out(sizes, number)
        self._number = number
        self._page = page
        self._advance = advance
        self._catalogue: Catalogue | None = None
        self._processes: dict[Pipe, SpawnProcess] = {}

    def __enter__(self) -> "Parts":
        try:
            for _ in range(self._number):
                ours, theirs = _PROCESSES.Pipe()
                process = _PROCESSES.Process(
                    target=_work, args=(theirs, self._database_url, self._page), daemon=True
                )
                process.start()
                # Open in their process alone, or nobody would hear of its end.
                theirs.close()
                self._processes[ours] = process
            # An order that waits in the pipe would outlive us.
            self._hear_all()
        except BaseException:
            self._end(at_once=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(at_once=error is not None)

    def fold(self, stretches: Mapping[Log, Stretch], catalogue: Catalogue) -> dict[Log, Place]:
        """Fold stretches as Folder.fold does, without counts; the places after them, when all is done.

        Args:
            stretches: Of any logs.
            catalogue: Of the load that judged what is to be folded.

        Raises:
            DependencyDown: the database does not answer one of them, or one was killed.
        """
        shares: list[dict[Log, Stretch]] = [{} for _ in range(self._number)]
        for log, stretch in stretches.items():
            # A log that began since is short.
            shares[self._part_of.get(log, 0)][log] = stretch
        sent = None if catalogue is self._catalogue else catalogue
        self._catalogue = catalogue
        for pipe, share in zip(self._processes, shares, strict=True):
            try:
                pipe.send(_Order(share, sent))
            except OSError:
                self._raise_ended(pipe)
        return self._hear_all()

    def _hear_all(self) -> dict[Log, Place]:
        """Pass progress on until every part is done; how far they came."""
        places: dict[Log, Place] = {}
        waiting = list(self._processes)
        while waiting:
            ready = wait(waiting)
            for pipe in [pipe for pipe in waiting if pipe in ready]:
                try:
                    said = pipe.recv()
                except (EOFError, OSError):
                    self._raise_ended(pipe)
                if isinstance(said, Exception):
                    raise said
                if isinstance(said, _Progress):
                    self._advance(*said)
                else:
                    places.update(said.places)
                    waiting.remove(pipe)
        return places

    def _raise_ended(self, pipe: Pipe) -> NoReturn:
        process = self._processes[pipe]
        process.join(_END_WITHIN)
        code = process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        raise DependencyDown(
            f"One of the rebuild's processes ended ({how}), so it was given up; nothing was changed. Is "
            "memory short? Run it again; `--workers 1` needs least."
        )

    def _end(self, *, at_once: bool) -> None:
        for pipe, process in self._processes.items():
            pipe.close()
            if at_once:
                process.terminate()
        for process in self._processes.values():
            process.join(_END_WITHIN)
            if process.exitcode is None:
                process.kill()
                process.join()


def shared_out(sizes: Mapping[Log, int], number: int) -> dict[Log, int]:
    """Which of so many parts folds each log, the longest first to whoever has least.

    >>> list(shared_out({Log("case", 0): 5, Log("case", 1): 9, Log("case", 2): 5}, 2).values())
    [0, 1, 1]
    """
    loads = [0] * number
    part_of: dict[Log, int] = {}
    for log, size in sorted(sizes.items(), key=lambda item: -item[1]):
        part_of[log] = loads.index(min(loads))
        loads[part_of[log]] += size
    return part_of


def _work(pipe: Pipe, database_url: str, page: int) -> None:
    """One part, in its own process: carry out orders until the pipe ends."""
    # Ctrl-C reaches the whole group; the process that rebuilds ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with database.errors_translated(), database.connect(database_url) as connection:
            # As long as a part lives, no other rebuild may make a shadow.
            connection.execute(query("lock_rebuild_part"))
            folder = Folder(connection, lambda *folded: pipe.send(_Progress(*folded)), page)
            catalogue: Catalogue | None = None
            pipe.send(_Done({}))
            while True:
                order: _Order = pipe.recv()
                catalogue = order.catalogue or catalogue
                assert catalogue is not None  # noqa: S101 - the first order has one
                places = {
                    log: folder.fold(log, stretch, catalogue, with_counts=False)
                    for log, stretch in order.stretches.items()
                }
                pipe.send(_Done(places))
    except (EOFError, BrokenPipeError):
        return
    except CanhDichError as error:
        pipe.send(error)
    except Exception:
        pipe.send(RuntimeError(traceback.format_exc()))
