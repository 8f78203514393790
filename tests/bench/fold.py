"""(a) The fold from Kafka to committed counts, (h) a worker's memory meanwhile, and a loop without Faust."""

import time
from collections.abc import Callable
from statistics import median

from tests.bench.results import Measured, say
from tests.bench.stage import Stage, resident_mib, running, workers


def fold_with_faust(stage: Stage, number: int, before: int = 0) -> Measured:
    """From the first committed batch to the last, by so many workers; their memory on the way.

    `before` says that cases were stored before: then the worker has to begin a new epoch first.
    """
    memory: list[tuple[int, float]] = []
    with workers(stage, number) as processes:
        measured = _watched(
            stage,
            "a",
            f"Faust, {number} worker(s)",
            lambda folded: memory.append((folded, max(resident_mib(p.pid) for p in processes))),
            epoch=1 if before else 0,
        )
    return Measured(
        measured.letter, measured.way, measured.events, measured.seconds, _memory(memory, stage.records)
    )


def fold_with_plain_loop(stage: Stage) -> Measured:
    """The same handler in a plain aiokafka loop, without Faust: what the framework costs."""
    program = ("-m", "tests.bench.plain_loop")
    with running("plain-loop", program, stage.environment, expect_end=True):
        return _watched(stage, "a", "the same handler, plain aiokafka loop", lambda _: None)


def _watched(stage: Stage, letter: str, way: str, look: Callable[[int], None], epoch: int = 0) -> Measured:
    first = stage.wait_until_begun(epoch)
    say(f"({letter}) {way}: {stage.records:,} ...")
    started = told = time.perf_counter()
    while (folded := stage.folded(epoch)) < stage.records:
        look(folded)
        time.sleep(0.1)
        if time.perf_counter() > told + 10:
            told = time.perf_counter()
            say(f"    {folded:,} folded, {(folded - first) / (told - started):,.0f}/s")
    measured = Measured(letter, way, stage.records - first, time.perf_counter() - started)
    say(f"({letter}) {way}: {measured.rate:,.0f}/s")
    return measured


def _memory(samples: list[tuple[int, float]], records: int) -> dict[str, float]:
    """Medians of a worker's memory in the two halves of the run.

    The first tenth is left out: what a process needs at all it takes then.
    """
    early = [mib for folded, mib in samples if 0.1 * records <= folded < 0.5 * records]
    late = [mib for folded, mib in samples if folded >= 0.5 * records]
    if not early or not late:
        return {}
    return {
        "memory_first_half_mib": round(median(early), 1),
        "memory_last_half_mib": round(median(late), 1),
        "memory_at_end_mib": round(samples[-1][1], 1),
    }
