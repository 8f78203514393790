-- name: rebuilt_case_differences
-- returns: cases that differ, as JSON; null on the side where there is none
-- params: is_all boolean, or from places on: arrays of equal length partitions int[], epochs int[], next_offsets bigint[]; most int
-- used by: streams/stores/rebuild.py

with touched as (
    select distinct ce.subject
    from case_events as ce
    left join
        unnest(%(partitions)s::int[], %(epochs)s::int[], %(next_offsets)s::bigint[])
            as v (kafka_partition, epoch, next_offset)
        on ce.kafka_partition = v.kafka_partition
    where
        not %(is_all)s
        and (v.epoch is null or (ce.epoch, ce.kafka_offset) >= (v.epoch, v.next_offset))
)

select
    coalesce(l.subject, r.subject) as subject,
    to_jsonb(l) as live,
    to_jsonb(r) as rebuilt
from public.cases as l
full outer join shadow.cases as r on l.subject = r.subject
where
    l is distinct from r
    and (
        %(is_all)s
        or coalesce(l.subject, r.subject) in (select t.subject from touched as t)
    )
order by 1
limit %(most)s;
