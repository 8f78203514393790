-- name: positions
-- returns: one row per partition that has a position
-- params: topic text
-- used by: services/waiting.py, streams/stores/counts.py

select
    so.kafka_partition,
    so.topic_id,
    so.epoch,
    so.next_offset,
    so.announced_offset,
    so.last_known_at,
    so.last_hash
from stream_offsets as so
where so.topic = %(topic)s
order by so.kafka_partition;
