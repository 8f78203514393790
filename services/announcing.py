"""Announce on count-changes what catalogue loads moved: at least once, recorded until it is done."""

import asyncio
from collections.abc import Iterable

from psycopg import Connection
from psycopg.rows import TupleRow

from services.settings import Settings
from streams.domain.positions import Touched
from streams.stores import catalogue
from streams.stores.broker import KafkaAnnouncements


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
        asyncio.run(_publish(touched, configured))
    catalogue.mark_announced(connection, loads)
    return len(touched)


async def _publish(touched: Iterable[Touched], configured: Settings) -> None:
    announcements = KafkaAnnouncements(configured.kafka, configured.topic_prefix)
    try:
        await announcements.publish(touched)
    finally:
        await announcements.close()
