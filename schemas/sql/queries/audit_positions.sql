-- name: audit_positions
-- returns: up to where the journal's new events were looked at, one row per partition
-- params: topic text
-- used by: streams/stores/audit_rounds.py

select
    ap.kafka_partition,
    ap.epoch,
    ap.next_offset
from audit_positions as ap
where ap.topic = %(topic)s;
