-- name: save_positions
-- returns: nothing
-- params: topic text, and arrays of equal length: partitions int[], topic_ids uuid[], epochs int[], next_offsets bigint[], announced_offsets bigint[], last_known_ats timestamptz[], last_hashes bytea[]
-- used by: streams/stores/ledger.py

insert into stream_offsets as so (
    topic,
    kafka_partition,
    topic_id,
    epoch,
    next_offset,
    announced_offset,
    last_known_at,
    last_hash
)
select
    %(topic)s as topic,
    p.kafka_partition,
    p.topic_id,
    p.epoch,
    p.next_offset,
    p.announced_offset,
    p.last_known_at,
    p.last_hash
from
    unnest(
        %(partitions)s::int[],
        %(topic_ids)s::uuid[],
        %(epochs)s::int[],
        %(next_offsets)s::bigint[],
        %(announced_offsets)s::bigint[],
        %(last_known_ats)s::timestamptz[],
        %(last_hashes)s::bytea[]
    )
        as p (kafka_partition, topic_id, epoch, next_offset, announced_offset, last_known_at, last_hash)
on conflict (topic, kafka_partition) do update
    set
        topic_id = excluded.topic_id,
        epoch = excluded.epoch,
        next_offset = excluded.next_offset,
        announced_offset = excluded.announced_offset,
        last_known_at = excluded.last_known_at,
        last_hash = excluded.last_hash;
