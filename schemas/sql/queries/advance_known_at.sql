-- name: advance_known_at
-- returns: nothing
-- params: known_at timestamptz
-- used by: streams/stores/catalogue.py

-- Locked in the order in which workers lock them.
with locked as materialized (
    select
        so.topic,
        so.kafka_partition
    from stream_offsets as so
    order by so.topic, so.kafka_partition
    for update
)

update stream_offsets as so
set last_known_at = greatest(so.last_known_at, %(known_at)s)
from locked as l
where
    so.topic = l.topic
    and so.kafka_partition = l.kafka_partition;
