-- name: replayed_changes
-- returns: one row per (disease, area) whose counts an event in the offset ranges moved
-- params: arrays of equal length: partitions int[], epochs int[], firsts bigint[], lasts bigint[]
-- used by: streams/stores/ledger.py

select distinct
    cc.disease,
    cc.area_id
from
    unnest(%(partitions)s::int[], %(epochs)s::int[], %(firsts)s::bigint[], %(lasts)s::bigint[])
        as r (kafka_partition, epoch, first_offset, last_offset)
inner join case_events as ce
    on
        r.kafka_partition = ce.kafka_partition
        and r.epoch = ce.epoch
        and ce.kafka_offset between r.first_offset and r.last_offset
inner join count_changes as cc
    on
        ce.subject = cc.subject
        and ce.event_id = cc.event_id;
