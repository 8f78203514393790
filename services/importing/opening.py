"""The real ports of an import: Kafka and TimescaleDB, for the command and for the staff's page."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Final

from schemas.catalogue import Catalogue, load_catalogue
from services.importing.codes import CodeFinder, meaning_key
from services.importing.kafka import KafkaSender
from services.importing.national import SUBJECT_PREFIX, SYSTEM
from services.importing.outcome import Outcome
from services.importing.run import Ports
from services.importing.sender import CASE_EVENTS
from services.settings import Settings
from streams.handlers.fold_reports import TOPICS as REPORT_TOPICS
from streams.stores.broker import Producer, topic_partitions
from streams.stores.catalogue import read_catalogue
from streams.stores.database import connect, errors_translated
from streams.stores.imports import PostgresIdentities, PostgresImports, PostgresTwins
from streams.stores.meanings import Asked, ask, read_meanings

TOPICS: Final = (CASE_EVENTS, *REPORT_TOPICS.values())
"""To which an import may send."""


def check_topics(configured: Settings) -> None:
    """Ask Kafka for the topics before anything is read or remembered: none is to be made by accident.

    Raises:
        DependencyDown, ConfigurationError: Kafka does not answer, or lacks one; says what to do.
    """
    for topic in TOPICS:
        topic_partitions(configured.kafka, configured.topic_prefix + topic)


@contextmanager
def open_ports(configured: Settings, *, is_preview: bool) -> Iterator[Ports]:
    """What `run_import` needs, open for as long as it runs. A preview has no way to Kafka.

    Raises:
        DependencyDown, ConfigurationError: the database does not answer, or has no catalogue.
    """
    database_url = configured.database_url.get_secret_value()
    with errors_translated(), connect(database_url) as connection:
        catalogue, meanings = read_catalogue(connection), read_meanings(connection)
    with ExitStack() as opened:
        identities = opened.enter_context(closing(PostgresIdentities(database_url)))
        producer = (
            None
            if is_preview
            else opened.enter_context(closing(Producer(configured.kafka, configured.topic_prefix)))
        )
        yield Ports(
            store=lambda source, reads_only: closing(
                PostgresImports(database_url, source, reads_only=reads_only)
            ),
            identities=identities,
            sender=KafkaSender(producer) if producer else None,
            codes=CodeFinder(_packaged(), meanings),
            catalogue=catalogue,
            twins=PostgresTwins(database_url, SYSTEM.rpartition(".")[2], SUBJECT_PREFIX),
        )


@cache
def _packaged() -> Catalogue:
    """Read once by a process that imports again and again."""
    return load_catalogue()


def keep_questions(configured: Settings, outcome: Outcome) -> None:
    """Note what a person has to decide about a file's doubtful names.

    Raises:
        DependencyDown: the database does not answer.
    """
    questions = [
        Asked(
            field,
            meaning_key(question.text),
            question.text,
            tuple((found.code, found.name, found.on) for found in question.candidates),
            rows,
        )
        for (field, question), rows in outcome.questions().items()
    ]
    if questions:
        with connect(configured.database_url.get_secret_value()) as connection:
            ask(connection, questions, datetime.now(UTC))
