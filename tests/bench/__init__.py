"""`make bench`: every figure of docs/benchmarks.md, measured in one run on real Kafka and TimescaleDB."""
