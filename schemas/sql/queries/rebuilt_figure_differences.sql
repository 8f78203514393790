-- name: rebuilt_figure_differences
-- returns: ledger rows of tallies and foci (of those touched from some places on, or all) that live and rebuilt ledger do not hold equally often
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

sides as (
    select
        true as is_live,
        fc.known_at,
        fc.subject,
        fc.event_id,
        fc.kind,
        fc.indicator,
        fc.disease,
        fc.area_id,
        fc.period_start,
        fc.period_end,
        fc.reported,
        fc.value,
        fc.targeted,
        fc.target,
        fc.epoch,
        fc.kafka_partition,
        fc.kafka_offset,
        fc.load_id
    from public.figure_changes as fc
    where
        %(is_all)s
        or fc.subject = any(array(select t.subject from touched as t))
    union all
    select
        false as is_live,
        fc.known_at,
        fc.subject,
        fc.event_id,
        fc.kind,
        fc.indicator,
        fc.disease,
        fc.area_id,
        fc.period_start,
        fc.period_end,
        fc.reported,
        fc.value,
        fc.targeted,
        fc.target,
        fc.epoch,
        fc.kafka_partition,
        fc.kafka_offset,
        fc.load_id
    from shadow.figure_changes as fc
    where
        %(is_all)s
        or fc.subject = any(array(select t.subject from touched as t))
)

select
    s.known_at,
    s.subject,
    s.event_id,
    s.kind,
    s.indicator,
    s.disease,
    s.area_id,
    s.period_start,
    s.period_end,
    array[s.reported, s.value, s.targeted, s.target] as amounts,
    s.epoch,
    s.kafka_partition,
    s.kafka_offset,
    s.load_id,
    count(*) filter (where s.is_live) as live,
    count(*) filter (where not s.is_live) as rebuilt
from sides as s
group by
    s.known_at,
    s.subject,
    s.event_id,
    s.kind,
    s.indicator,
    s.disease,
    s.area_id,
    s.period_start,
    s.period_end,
    s.reported,
    s.value,
    s.targeted,
    s.target,
    s.epoch,
    s.kafka_partition,
    s.kafka_offset,
    s.load_id
having count(*) filter (where s.is_live) <> count(*) filter (where not s.is_live)
order by s.known_at, s.subject
limit %(most)s;
