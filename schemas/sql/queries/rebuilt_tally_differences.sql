-- name: rebuilt_tally_differences
-- returns: tallies (touched from some places on, or all) that differ, as JSON; null on the side where there is none
-- params: is_all boolean, or from places on: arrays of equal length kinds text[], partitions int[], epochs int[], next_offsets bigint[]; most int
-- used by: streams/stores/rebuild.py

with touched as (
    select distinct re.subject
    from
        unnest(%(kinds)s::text[], %(partitions)s::int[], %(epochs)s::int[], %(next_offsets)s::bigint[])
            as v (kind, kafka_partition, epoch, next_offset)
    inner join report_events as re
        on
            v.kind = re.kind
            and v.kafka_partition = re.kafka_partition
            and (re.epoch, re.kafka_offset) >= (v.epoch, v.next_offset)
),

live as (
    select ta.*
    from public.tallies as ta
    where
        %(is_all)s
        or ta.subject = any(array(select t.subject from touched as t))
),

rebuilt as (
    select ta.*
    from shadow.tallies as ta
    where
        %(is_all)s
        or ta.subject = any(array(select t.subject from touched as t))
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
