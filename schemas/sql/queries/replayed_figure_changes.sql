-- name: replayed_figure_changes
-- returns: one row per (disease, area) whose figures an event in the offset ranges moved
-- params: kind text; arrays of equal length: partitions int[], epochs int[], firsts bigint[], lasts bigint[]
-- used by: streams/stores/reports.py

select distinct
    fc.disease,
    fc.area_id
from
    unnest(%(partitions)s::int[], %(epochs)s::int[], %(firsts)s::bigint[], %(lasts)s::bigint[])
        as r (kafka_partition, epoch, first_offset, last_offset)
inner join report_events as re
    on
        r.kafka_partition = re.kafka_partition
        and r.epoch = re.epoch
        and re.kafka_offset between r.first_offset and r.last_offset
inner join figure_changes as fc
    on
        re.subject = fc.subject
        and re.event_id = fc.event_id
where
    re.kind = %(kind)s
    and (fc.kind = 'tally') = (re.kind = 'tally');
