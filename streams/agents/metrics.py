"""What only a worker's agents know and tell Prometheus; services/measuring.py has what becomes of batches."""

from prometheus_client import Counter, Gauge

READY = Gauge("canhdich_worker_ready", "1 once partitions were assigned and agreed on with the database")
ASSIGNED = Gauge("canhdich_worker_assigned_partitions", "Partitions that this worker folds")
RETRIES = Counter("canhdich_worker_retries", "Times that a server did not answer")
