-- name: all_positions
-- returns: one row per topic and partition that has a position: the offset that is to be folded next
-- params: none
-- used by: streams/stores/backups.py

select
    so.topic,
    so.kafka_partition,
    so.next_offset
from stream_offsets as so
order by so.topic, so.kafka_partition;
