-- name: save_quality_positions
-- returns: nothing
-- params: topic text
-- used by: streams/stores/quality.py

insert into quality_positions (topic, kafka_partition, epoch, next_offset, load_id)
select
    so.topic,
    so.kafka_partition,
    so.epoch,
    so.next_offset,
    (
        select max(cl.load_id) from catalogue_loads as cl
    ) as load_id
from stream_offsets as so
where so.topic = %(topic)s
on conflict (topic, kafka_partition) do update
    set
        epoch = excluded.epoch,
        next_offset = excluded.next_offset,
        load_id = excluded.load_id;
