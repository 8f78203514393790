"""In which order what happens, and when: drawn from the run's dice, so that a seed gives it again."""

from collections.abc import Callable, Sequence

from streams.agents.fold_cases import EXIT_UNEXPECTED
from tests.faults import faults
from tests.faults.book import Chunk, Mixture
from tests.faults.checks import Finding, Witness, dead_letters_seen, verify
from tests.faults.crew import ANNOUNCES, HANGS, happened
from tests.faults.faults import Fault
from tests.faults.run import Happened, Run

Schedule = Callable[[Run], list[Finding]]

EVERY_FAULT: tuple[Fault, ...] = (
    faults.kill_worker,
    faults.kill_broker,
    faults.kill_database,
    faults.stop_database,
    faults.pause_worker,
    faults.move_partitions,
    faults.restart_everything,
    faults.deliver_again,
    faults.skip_to_the_end,
    faults.wipe_database,
    faults.step_clock_back,
)
# They take records away from Kafka, which nothing can bring back: each is followed by new events only.
LAST_FAULTS: tuple[Fault, ...] = (
    faults.cut_the_log,
    faults.cut_the_log_unseen,
    faults.make_the_topic_anew,
)
# Of the two ways to cut the log only the harder one.
SHORT_LAST_FAULTS = LAST_FAULTS[1:]
# Why a worker may end itself: another leader after the broker was killed, told to stop in an outage.
EXPECTED_ENDS = ("its log may be another", "fold a batch", "ask who leads", "agree on offsets")
# With 150,000 events 50 records that are none.
KILLED = Mixture(repeated=0, reworded=0, conflicting=0, poisoned=50 / 150_000, parked=0)


def everything(run: Run) -> list[Finding]:
    """Rounds of every fault at random moments, then those that take records away."""
    return _everything(run, LAST_FAULTS)


def nearly_everything(run: Run) -> list[Finding]:
    """The short form."""
    return _everything(run, SHORT_LAST_FAULTS)


def _everything(run: Run, last: Sequence[Fault]) -> list[Finding]:
    witness = Witness()
    run.write_chapters([run.size.events // run.size.rounds] * run.size.rounds, len(last))
    run.crew.scale(2)
    for _ in range(run.size.rounds):
        _round(run, run.schedule.sample(EVERY_FAULT, len(EVERY_FAULT)))
    findings = _unexpected_ends(run)
    for fault in last:
        witness.look(run.where, run.book)
        _happen(run, fault)
        run.wait_until_folded()
    return [*findings, *_verdict(run, witness)]


def _unexpected_ends(run: Run) -> list[Finding]:
    """Workers that ended themselves though no record was taken away: no fault of before asks for that."""
    unexpected = [reason for reason in run.crew.reasons() if not reason.endswith(EXPECTED_ENDS)]
    # Signals are the suite's own; 3 is a start while a server is down; 70 has given its reason.
    codes = [code for code in run.crew.ends() if code > 0 and code not in (3, EXIT_UNEXPECTED)]
    return [
        *(Finding("workers", f"a worker ended itself: {reason}") for reason in unexpected),
        *(Finding("workers", f"a worker ended with exit code {code}") for code in codes),
    ]


def killed_again_and_again(run: Run) -> list[Finding]:
    """What docs/adr/0006-faust-pattern.md rests on: worker three times, database twice, broker once.

    Then the database is lost, with the group at the end, and all is folded again.
    """
    run.book.mixture = KILLED
    run.write_chapters([run.size.events], 0)
    run.crew.scale(2)
    deaths = [faults.kill_worker] * 3 + [faults.kill_database] * 2 + [faults.kill_broker]
    _round(run, run.schedule.sample(deaths, len(deaths)))
    findings = _verdict(run, Witness())
    _happen(run, faults.wipe_database)
    run.wait_until_folded()
    return [*findings, *_verdict(run, Witness())]


def mishaps(run: Run) -> list[Finding]:
    """Nothing but what goes wrong inside the worker (`--sabotage`), for one worker."""
    run.write_chapters([run.size.events], 0)
    run.crew.scale(1)
    _round(run, ())
    return _verdict(run, Witness())


def killed_while_it_hangs(run: Run) -> list[Finding]:
    """The worker hangs (`--sabotage hang_in_the_commit`) and is killed."""
    return _killed_while_it_hangs(run, faults.kill_hanging_worker)


def killed_when_acknowledged(run: Run) -> list[Finding]:
    """The same for a worker that acknowledges first (`--sabotage acknowledge_before_the_commit,…`)."""
    return _killed_while_it_hangs(run, faults.kill_worker_that_acknowledged)


def _killed_while_it_hangs(run: Run, kill: Fault) -> list[Finding]:
    run.write_chapters([run.size.events // 2] * 2, 0)
    run.crew.scale(1)
    run.feeder.start(next(run.chapters))
    run.wait_for("hanging", happened(run.crew.folder, HANGS).exists)
    run.feeder.finish()
    _happen(run, kill)
    # Whatever the group has skipped, each partition goes on.
    run.send_more()
    run.wait_until_folded()
    return _verdict(run, Witness())


def log_lost_before_the_announcement(run: Run) -> list[Finding]:
    """The worker dies after a commit (`--sabotage die_before_announcing`), and then its log is lost, too."""
    run.write_chapters([run.size.events], 0)
    witness = Witness()
    run.crew.scale(1)
    chunks = next(run.chapters)
    run.feeder.send(chunks[: len(chunks) // 2])
    run.wait_for("death", happened(run.crew.folder, ANNOUNCES).exists)
    run.crew.kill_all()
    witness.look(run.where, run.book)
    faults.replace_topic(run)
    # All of it, as some was not folded; what the dead worker did not announce is known by now.
    run.crew.scale(1)
    run.feeder.send(chunks)
    run.wait_until_folded()
    return _verdict(run, witness)


def _round(run: Run, happening: Sequence[Fault]) -> None:
    """Send a chapter; let each fault happen in the middle of a part of it, wherever that hits."""
    chunks: list[Chunk] = next(run.chapters)
    run.begin_chapter(chunks)
    for number, fault in enumerate(happening):
        run.begin_part(1 / (len(happening) - number), run.schedule.uniform(0.2, 0.6), run.schedule.random())
        _happen(run, fault)
    run.feeder.finish()
    run.wait_until_folded()
    run.say("all folded")


def name_of(fault: Fault) -> str:
    """As it is told."""
    return fault.__name__.replace("_", " ")


def _happen(run: Run, fault: Fault) -> None:
    name = name_of(fault)
    run.say(name)
    before = run.high_water.records
    seen = fault(run)
    run.happened.append(Happened(name, before, run.high_water.records, seen))
    run.say(f"    {seen}")


def _verdict(run: Run, witness: Witness) -> list[Finding]:
    run.say("all folded; looking at every promise")
    witness.look(run.where, run.book)
    findings = verify(run.where, run.book, witness)
    run.say(f"sent: {dict(run.book.written)}")
    run.say(f"dead letters: {dead_letters_seen(run.where)}")
    run.say(f"workers ended, by exit code: {dict(run.crew.ends())}")
    run.say(f"those that ended themselves: {dict(run.crew.reasons())}")
    for finding in findings:
        run.say(f"BROKEN {finding.check}: {finding.text}")
    return findings


SCHEDULES: dict[str, Schedule] = {
    schedule.__name__: schedule
    for schedule in (
        everything,
        nearly_everything,
        killed_again_and_again,
        mishaps,
        killed_while_it_hangs,
        killed_when_acknowledged,
        log_lost_before_the_announcement,
    )
}
# How many events a schedule is meant for, where not 200,000.
EVENTS = {killed_again_and_again.__name__: 150_000}
