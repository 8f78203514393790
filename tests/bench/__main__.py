"""`python -m tests.bench`: measure everything on the servers that run, print a table, write JSON lines.

BENCH_EVENTS (default 1,000,000; with BENCH_QUICK=1 60,000), BENCH_CASES (cases stored before (g), joined by
commas; default 0,1000000,5000000, quick 0,100000), BENCH_ONLY (letters, such as `abcd`). Compare figures of
one run only.
"""

import os
import sys
from collections.abc import Iterator

from schemas.catalogue import Catalogue, load_catalogue
from services.settings import Settings, load_settings
from streams.stores.database import connect
from tests.bench import (
    alert_latency,
    boards_speed,
    commands,
    country_sweep,
    counts_speed,
    detectors_speed,
    flush_cost,
    growth,
    intake_load,
    latency,
    peers,
    report_speed,
    results,
)
from tests.bench.country import country
from tests.bench.fold import fold_with_faust, fold_with_plain_loop
from tests.bench.quix import measure as quix
from tests.bench.results import Measured, Target, say
from tests.bench.stage import events, filled_topics, fresh_stage

_QUICK = os.environ.get("BENCH_QUICK") == "1"
_EVENTS = int(os.environ.get("BENCH_EVENTS") or (60_000 if _QUICK else 1_000_000))
_CASES = [
    int(cases)
    for cases in (os.environ.get("BENCH_CASES") or ("0,100000" if _QUICK else "0,1000000,5000000")).split(",")
]
_ONLY = os.environ.get("BENCH_ONLY") or "abcdefghijklmnopqr"
# Growth, latency and the peer need no million: what they show, fewer events show.
_FEWER = min(_EVENTS, 200_000)


def measure(settings: Settings, catalogue: Catalogue) -> Iterator[Measured]:
    """Everything that was asked for, one after the other."""
    sent = events(_EVENTS, catalogue)
    if set(_ONLY) & set("abcdehj"):
        with filled_topics(settings, sent) as (prefix, last):
            if set(_ONLY) & set("ahj"):
                with fresh_stage(settings, catalogue, prefix, last) as stage:
                    yield fold_with_faust(stage, 1)
                    if "j" in _ONLY:
                        yield commands.rebuild(stage)
            if "a" in _ONLY:
                with fresh_stage(settings, catalogue, prefix, last) as stage:
                    yield fold_with_faust(stage, 2)
                with fresh_stage(settings, catalogue, prefix, last) as stage:
                    yield fold_with_plain_loop(stage)
            if set(_ONLY) & set("bcd"):
                with fresh_stage(settings, catalogue, prefix, last) as stage:
                    yield from peers.measure(stage, sent)
            if "e" in _ONLY and quix.python() is None:
                say("(e) left out: Quix Streams is not installed (make bench installs it)")
            elif "e" in _ONLY:
                for counts in quix.COUNTS:
                    with fresh_stage(settings, catalogue, prefix, last) as stage:
                        yield quix.measure(stage, counts, int(_FEWER * 0.9))
    if "g" in _ONLY:
        yield from _growth(settings, catalogue, sent[:_FEWER])
    for letter, work in (
        ("f", lambda stage: latency.measure(stage, catalogue, 20 if _QUICK else 60)),
        ("i", lambda stage: commands.import_line_list(stage, catalogue, 10_000 if _QUICK else commands.ROWS)),
        (
            "i",
            lambda stage: commands.import_national_export(
                stage, catalogue, 10_000 if _QUICK else commands.ROWS
            ),
        ),
    ):
        if letter in _ONLY:
            with (
                filled_topics(settings, ()) as (prefix, last),
                fresh_stage(settings, catalogue, prefix, last) as stage,
            ):
                yield work(stage)
    if "l" in _ONLY:
        with (
            filled_topics(settings, ()) as (prefix, last),
            fresh_stage(settings, catalogue, prefix, last) as stage,
        ):
            growth.fill(stage.database_url, stage.topic, catalogue, 10_000 if _QUICK else 200_000)
            yield alert_latency.measure(stage, catalogue, 20 if _QUICK else 60)
    if "p" in _ONLY:
        with (
            filled_topics(settings, ()) as (prefix, last),
            fresh_stage(settings, catalogue, prefix, last) as stage,
        ):
            yield from intake_load.measure(stage, sent[:_FEWER], 500 if _QUICK else 5_000)
    if "q" in _ONLY:
        yield from flush_cost.measure(settings, sent[:_FEWER])
    if "n" in _ONLY:
        yield from detectors_speed.measure(*((50, 2) if _QUICK else (500, 20)))
    if set(_ONLY) & set("kmor"):
        with country(settings.database_url.get_secret_value(), 0.02 if _QUICK else 1.0) as database_url:
            if "k" in _ONLY:
                yield from counts_speed.measure(database_url)
            if "r" in _ONLY:
                yield from report_speed.measure(database_url)
            if "m" in _ONLY:
                yield country_sweep.measure(database_url)
            # Last: it adds alerts of its own.
            if "o" in _ONLY:
                yield from boards_speed.measure(database_url)


def _growth(settings: Settings, catalogue: Catalogue, sent: list[bytes]) -> Iterator[Measured]:
    with filled_topics(settings, sent) as (prefix, last):
        for cases in _CASES:
            with fresh_stage(settings, catalogue, prefix, last) as stage:
                if cases:
                    say(f"(g) storing {cases:,} cases ...")
                    growth.fill(stage.database_url, stage.topic, catalogue, cases)
                measured = fold_with_faust(stage, 1, before=cases)
                way = f"Faust, 1 worker, {cases:,} cases stored before"
                yield Measured("g", way, measured.events, measured.seconds)


def targets(found: list[Measured]) -> Iterator[Target]:
    """What is asked of the figures, as far as they were measured; ratios within this run."""
    ways = {measured.way: measured for measured in found}
    rates = {measured.letter: measured.rate for measured in found}
    faust = [m for m in found if m.letter == "a" and m.way.startswith("Faust")]
    best = max((m.rate for m in faust), default=0.0)
    if best:
        for letter, text, wanted in (
            ("b", "(a) : (b), times", 40.0),
            ("c", "(a) : (c), times", 1.2),
            ("d", "(a) : (d), share", 0.25),
        ):
            if letter in rates:
                yield Target(text, best / rates[letter], wanted)
        for counts, wanted in (("all", 5.0), ("notified", 5.0)):
            if quix.WAYS[counts] in ways:
                yield Target(
                    f"(a) : (e) {quix.WAYS[counts]}, times", best / ways[quix.WAYS[counts]].rate, wanted
                )
        loop = [m for m in found if m.letter == "a" and not m.way.startswith("Faust")]
        if loop:
            yield Target("(a), 1 worker : plain aiokafka loop, share", faust[0].rate / loop[0].rate, 0.75)
        if "j" in rates:
            yield Target("(j) : (a), times", rates["j"] / best, 1.0)
            (rebuilt,) = (m for m in found if m.letter == "j")
            folding = rebuilt.more["folding_per_second"]
            yield Target("(j) without comparing : (a), times", folding / best, 1.0)
        if "memory_last_half_mib" in faust[0].more:
            first, last = (faust[0].more[f"memory_{half}_half_mib"] for half in ("first", "last"))
            yield Target("(h) memory, first half : last half (0.91 is 10 % growth)", first / last, 0.91)
    grown = [m for m in found if m.letter == "g"]
    for measured in grown[1:]:
        yield Target(f"(g) {measured.way.split(', ')[-1]} : empty, share", measured.rate / grown[0].rate, 0.7)
    detectors = {m.way: m for m in found if m.letter == "n"}
    for m in detectors.values():
        if m.way.startswith("R "):
            times = detectors[detectors_speed.PUBLISHED].rate / m.rate
            yield Target("(n) Farrington flexible, ours : R's, times", times, 50.0)
    for measured in found:
        if measured.letter == "f":
            yield Target("(f) 250 ms : p50, times", 250 / measured.more["p50_ms"], 1.0)
            yield Target("(f) 1,000 ms : p99, times", 1_000 / measured.more["p99_ms"], 1.0)
        if measured.letter == "l":
            yield Target("(l) 2,000 ms : p99, times", 2_000 / measured.more["p99_ms"], 1.0)
        if measured.letter == "m":
            seconds = 60.0 * country_sweep.MINUTES
            yield Target("(m) ten minutes : the sweep, times", seconds / measured.seconds, 1.0)
        if measured.letter == "o":
            slowest, together = measured.more["slowest_panel_p95_ms"], measured.more["together_ms"]
            yield Target(f"(o) 100 ms : p95 of the slowest panel, {measured.way}, times", 100 / slowest, 1.0)
            yield Target(f"(o) 1,000 ms : all together, {measured.way}, times", 1_000 / together, 1.0)
        if measured.letter == "r" and measured.way.startswith(f"report as {report_speed.TARGET_FORM}"):
            yield Target(f"(r) 3 s : {measured.way}, times", 3.0 / measured.seconds, 1.0)
        if measured.letter == "k" and measured.way.startswith(counts_speed.TARGET + ", "):
            province = measured.way.removeprefix(counts_speed.TARGET + ", ")
            yield Target(f"(k) 100 ms : median, {province}, times", 100 / measured.more["median_ms"], 1.0)


def main() -> int:
    """Measure, print, write."""
    settings, catalogue = load_settings(), load_catalogue()
    with connect(settings.database_url.get_secret_value()) as connection:
        version = connection.execute("select split_part(version(), ' ', 2)").fetchone()
    described = results.machine(str(version[0]) if version else "")
    say(f"{_EVENTS:,} events; machine: {described}")
    found = list(results.with_stolen(measure(settings, catalogue)))
    reached = list(targets(found))
    results.print_table(found, reached, described)
    print(f"\nWritten to {results.write(found, reached, described)}. Compare figures of one run only.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
