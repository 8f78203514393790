-- name: lock_positions
-- returns: one row per partition that has a position, in partition order
-- params: topic text, partitions int[]
-- used by: streams/stores/ledger.py

select
    so.kafka_partition,
    so.topic_id,
    so.epoch,
    so.next_offset,
    so.announced_offset,
    so.last_known_at,
    so.last_hash
from stream_offsets as so
where
    so.topic = %(topic)s
    and so.kafka_partition = any(%(partitions)s)
order by so.kafka_partition
for update;
