"""Ask Kafka for the ends of a topic's log, without waiting long for one that is down."""

import socket
from datetime import UTC, datetime

from streams.domain.as_of import LogEnds
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.kafka_servers import KafkaServers, Servers

_REACHED_WITHIN = 3.0


def ask_log_ends(servers: Servers, topic: str) -> LogEnds | None:
    """The ends of the log of a topic (full name); None where Kafka does not answer or has no such topic."""
    if not any(_is_reachable(broker) for broker in KafkaServers.of(servers).bootstrap.split(",")):
        # Kafka's client would try for half a minute.
        return None
    # Kafka's clients take a fifth of a second to import, and most commands never get here.
    from streams.stores.broker import end_offsets, topic_partitions

    asked_at = datetime.now(UTC)
    try:
        topic_id, _ = topic_partitions(servers, topic)
        return LogEnds(topic_id, asked_at, end_offsets(servers, topic))
    except (DependencyDown, ConfigurationError):
        return None


def _is_reachable(broker: str) -> bool:
    host, _, port = broker.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_REACHED_WITHIN).close()
    except OSError:
        return False
    return True
