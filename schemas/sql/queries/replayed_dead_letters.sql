-- name: replayed_dead_letters
-- returns: the dead letters in the offset ranges, in offset order
-- params: topic text; arrays of equal length: partitions int[], epochs int[], firsts bigint[], lasts bigint[]
-- used by: streams/stores/ledger.py, streams/stores/reports.py

select
    dl.epoch,
    dl.kafka_partition,
    dl.kafka_offset,
    dl.known_at,
    dl.error,
    dl.problems,
    dl.record_key,
    dl.record_value,
    dl.standing_value,
    dl.subject,
    dl.event_id
from
    unnest(%(partitions)s::int[], %(epochs)s::int[], %(firsts)s::bigint[], %(lasts)s::bigint[])
        as r (kafka_partition, epoch, first_offset, last_offset)
inner join dead_letters as dl
    on
        r.kafka_partition = dl.kafka_partition
        and r.epoch = dl.epoch
        and dl.kafka_offset between r.first_offset and r.last_offset
where dl.topic = %(topic)s
order by dl.kafka_partition, dl.kafka_offset;
