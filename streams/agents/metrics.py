"""What a worker tells Prometheus about itself."""

from prometheus_client import Counter, Gauge, Histogram

READY = Gauge("canhdich_worker_ready", "1 once partitions were assigned and agreed on with the database")
ASSIGNED = Gauge("canhdich_worker_assigned_partitions", "Partitions that this worker folds")
RECORDS = Counter("canhdich_worker_records", "Records committed, dead letters included")
DEAD_LETTERS = Counter("canhdich_worker_dead_letters", "Records that went to the dead letters")
RETRIES = Counter("canhdich_worker_retries", "Times that a server did not answer")
BATCH_SECONDS = Histogram(
    "canhdich_worker_batch_seconds",
    "Time from a batch's arrival to its announcement",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
