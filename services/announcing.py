"""Announce on count-changes what catalogue loads moved: at least once, recorded until it is done."""

import asyncio

from psycopg import Connection
from psycopg.rows import TupleRow

from services.settings import Settings
from streams.stores import catalogue
from streams.stores.broker import KafkaAnnouncements, Producer


def announce_loads(connection: Connection[TupleRow], configured: Settings) -> int:
    """Publish the keys of the counts that loads moved and that are not announced yet; how many keys.

    Loads are marked after Kafka has acknowledged all of their keys, so that a crash between the two announces
    them again.

    Raises:
        DependencyDown: Kafka does not answer; the next call announces them.
    """
    loads = catalogue.unannounced_changes(connection)
    touched = frozenset().union(*loads.values())
    if touched:
        producer = Producer(configured.kafka_bootstrap, configured.topic_prefix)
        try:
            asyncio.run(KafkaAnnouncements(producer).publish(touched))
        finally:
            producer.close()
    catalogue.mark_announced(connection, loads)
    return len(touched)
