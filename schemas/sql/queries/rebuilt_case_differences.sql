-- name: rebuilt_case_differences
-- returns: cases (touched from some places on, or all) that differ, as JSON; null on the side where there is none
-- params: is_all boolean, or from places on: arrays of equal length partitions int[], epochs int[], next_offsets bigint[]; most int
-- used by: streams/stores/rebuild.py

with touched as (
    select distinct ce.subject
    from
        unnest(%(partitions)s::int[], %(epochs)s::int[], %(next_offsets)s::bigint[])
            as v (kafka_partition, epoch, next_offset)
    inner join case_events as ce
        on
            v.kafka_partition = ce.kafka_partition
            and (ce.epoch, ce.kafka_offset) >= (v.epoch, v.next_offset)
),

live as (
    select c.*
    from public.cases as c
    where
        %(is_all)s
        or c.subject = any(array(select t.subject from touched as t))
),

rebuilt as (
    select c.*
    from shadow.cases as c
    where
        %(is_all)s
        or c.subject = any(array(select t.subject from touched as t))
)

select
    coalesce(l.subject, r.subject) as subject,
    to_jsonb(l) as live,
    to_jsonb(r) as rebuilt
from live as l
full outer join rebuilt as r on l.subject = r.subject
where l is distinct from r
order by 1
limit %(most)s;
