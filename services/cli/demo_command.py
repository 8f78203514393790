"""`canhdich demo`: a real year of a real province, event by event, through the whole pipeline."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import typer
from rich.console import Console

from schemas.catalogue import load_catalogue
from services.cli.foci_command import foci_document
from services.cli.intake_address import intake_address
from services.cli.output import EXIT_FAILED, err, exits, out, progress_bar
from services.cli.tallies_command import tally_document
from services.demo.figures import PROVINCE, YEAR, YEAR_BEFORE
from services.demo.generate import demo_events, repeat_and_shuffle
from services.demo.reports import demo_reports, show_reports
from services.demo.show import show
from services.settings import Settings, settings
from services.waiting import wait_until_counted
from streams.domain.positions import TOPIC
from streams.handlers.fold_reports import TOPICS
from streams.stores import database
from streams.stores.audit import audit
from streams.stores.broker import Producer, errors_translated
from streams.stores.counts import CountsRequest, Dimension, read_counts
from streams.stores.report_audit import audit_reports
from streams.stores.tallies import read_discrepancies, read_tallies

_NEXT = """
What to look at next:
  .venv/bin/canhdich counts --province 12 --from 2023-01-01 --to 2023-12-31 --by disease --by district
  .venv/bin/canhdich counts --province 12 --disease dengue --by month --to 2023-12-31
  .venv/bin/canhdich cases show LC-2023-000001
  .venv/bin/canhdich tallies --province 12 --from 2023-01-01 --to 2023-12-31
  .venv/bin/canhdich foci --province 12 --from 2023-01-01 --to 2023-12-31
  .venv/bin/canhdich audit
  README.md: how to post an event, how to import a line list.
To report a case as staff do, make an account (it prints a password, once), sign in at {intake},
report a case, and see it counted:
  .venv/bin/canhdich people add dich-te --role epidemiologist
  .venv/bin/canhdich counts --province 12 --from 2024-01-01 --by disease
The stack is still running; `make down` stops it, `make clean` also deletes the simulated data."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", help="Send the simulated line lists of Lai Châu 2022 and 2023; show the year.")(demo)


@exits
def demo() -> int:
    """Send, wait, count, compare with the report, audit; 1 when a figure or the books are wrong."""
    configured = settings()
    started = time.monotonic()
    events = demo_events(catalogue=load_catalogue())
    sent = repeat_and_shuffle(events)
    err.print(
        f"{len(events):,} events of {len({event.subject for event in events}):,} simulated cases, "
        f"{len(sent) - len(events):,} of them sent twice, shuffled."
    )
    _send(configured, TOPIC, [(event.subject, event.raw) for event in sent])
    reports = demo_reports()
    for kind, topic in TOPICS.items():
        _send(configured, topic, [(report.subject, report.raw) for report in reports if report.kind == kind])
    seconds = time.monotonic() - started

    database_url = configured.database_url.get_secret_value()
    with database.errors_translated(), database.connect(database_url) as connection:
        rows = read_counts(connection, _year(YEAR, "disease", "district"))
        before = read_counts(connection, _year(YEAR_BEFORE, "disease", "district"))
        by_agent = read_counts(connection, _year(YEAR, "disease", "agent"))
        console = out if out.is_terminal else Console(width=100, soft_wrap=False)
        mismatches: list[object] = [*show(rows, before, by_agent, console)]
        mismatches += show_reports(
            read_tallies(connection, _year(YEAR)),
            read_tallies(connection, _year(YEAR_BEFORE)),
            [tally_document(one) for one in read_discrepancies(connection, _both_years())],
            foci_document(connection, _year(YEAR), "food_poisoning"),
            console,
        )
        books = audit(connection)
        report_books = audit_reports(connection)
    out.print(
        f"\n{len(sent):,} records sent and counted in {seconds:.1f} s. "
        + (
            f"Audit over {books.events:,} events and {books.cases:,} cases: no drift."
            if books.is_clean and report_books.is_clean
            else f"Audit: DRIFT {books}, {report_books}."
        ),
        highlight=False,
    )
    if mismatches:
        out.print(
            f"{len(mismatches)} figure(s) differ from the report. If other cases of province 12 were posted "
            "to this database, that is why: `make clean` starts anew."
        )
    out.print(_NEXT.format(intake=intake_address(configured)), highlight=False)
    return EXIT_FAILED if mismatches or not (books.is_clean and report_books.is_clean) else 0


def _send(configured: Settings, topic: str, events: Sequence[tuple[str, bytes]]) -> None:
    producer = Producer(configured.kafka, configured.topic_prefix)
    try:
        with progress_bar("Sending to Kafka", len(events)) as advance:
            futures = []
            for subject, raw in events:
                futures.append(producer.send(topic, subject.encode(), raw))
                advance(1)
            with errors_translated():
                acknowledged = [future.get(timeout=60) for future in futures]
    finally:
        producer.close()
    last: dict[int, int] = {}
    for record in acknowledged:
        last[record.partition] = max(record.offset, last.get(record.partition, -1))
    with progress_bar("Counting", len(events)) as advance:
        wait_until_counted(
            configured.database_url.get_secret_value(),
            configured.topic_prefix + topic,
            last,
            timeout=120,
            advance=advance,
        )


def _year(year: int, *by: Dimension) -> CountsRequest:
    first, last = date(year, 1, 1), date(year, 12, 31)
    return CountsRequest(by=by, geography_on=last, province=PROVINCE, first=first, last=last)


def _both_years() -> CountsRequest:
    return replace(_year(YEAR), first=date(YEAR_BEFORE, 1, 1))
