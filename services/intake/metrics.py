"""What the door tells Prometheus about itself. Labels are closed sets: nothing that was sent becomes one."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30)


class Metrics:
    """The figures of one door, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.events = Counter(
            "canhdich_intake_events",
            "Events answered, by outcome (accepted, unchanged, repeat, unconfirmed; of NDJSON also refused)",
            ["outcome"],
            registry=self.registry,
        )
        self.refused = Counter(
            "canhdich_intake_refused",
            "Requests refused, by kind of problem",
            ["reason"],
            registry=self.registry,
        )
        self.faults = Counter(
            "canhdich_intake_faults", "Faults found in events, by code", ["code"], registry=self.registry
        )
        self.warnings = Counter(
            "canhdich_intake_warnings",
            "Warnings on accepted events, by code",
            ["code"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "canhdich_intake_request_seconds",
            "Time from a request's head to the end of its answer",
            ["route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.open_bytes = Gauge(
            "canhdich_intake_open_bytes",
            "Bytes of request bodies that are being handled",
            registry=self.registry,
        )
        self.last_accepted = Gauge(
            "canhdich_intake_last_accepted_timestamp_seconds",
            "When Kafka last acknowledged an event of a sender, canaries included; 0: not yet",
            registry=self.registry,
        )
        self.kafka_seconds = Histogram(
            "canhdich_intake_kafka_seconds",
            "Time until Kafka has acknowledged the events of a request, or was given up on",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.without_answer = Counter(
            "canhdich_intake_without_database",
            "Times that the door did without an answer of the database, by question",
            ["question"],
            registry=self.registry,
        )
