-- name: rebuilt_ledger_differences
-- returns: ledger rows (of cases touched from some places on, or all) that live and rebuilt ledger do not hold equally often
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

sides as (
    select
        true as is_live,
        cc.known_at,
        cc.subject,
        cc.event_id,
        cc.disease,
        cc.area_id,
        cc.basis,
        cc.day,
        cc.via,
        cc.agent,
        cc.notified,
        cc.suspected,
        cc.probable,
        cc.confirmed,
        cc.discarded,
        cc.positive,
        cc.negative,
        cc.pending,
        cc.deaths,
        cc.imported,
        cc.hospitalised,
        cc.epoch,
        cc.kafka_partition,
        cc.kafka_offset,
        cc.load_id
    from public.count_changes as cc
    where
        %(is_all)s
        or cc.subject = any(array(select t.subject from touched as t))
    union all
    select
        false as is_live,
        cc.known_at,
        cc.subject,
        cc.event_id,
        cc.disease,
        cc.area_id,
        cc.basis,
        cc.day,
        cc.via,
        cc.agent,
        cc.notified,
        cc.suspected,
        cc.probable,
        cc.confirmed,
        cc.discarded,
        cc.positive,
        cc.negative,
        cc.pending,
        cc.deaths,
        cc.imported,
        cc.hospitalised,
        cc.epoch,
        cc.kafka_partition,
        cc.kafka_offset,
        cc.load_id
    from shadow.count_changes as cc
    where
        %(is_all)s
        or cc.subject = any(array(select t.subject from touched as t))
)

select
    s.known_at,
    s.subject,
    s.event_id,
    s.disease,
    s.area_id,
    s.basis,
    s.day,
    s.via,
    s.agent,
    array[
        s.notified,
        s.suspected,
        s.probable,
        s.confirmed,
        s.discarded,
        s.positive,
        s.negative,
        s.pending,
        s.deaths,
        s.imported,
        s.hospitalised
    ] as amounts,
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
    s.disease,
    s.area_id,
    s.basis,
    s.day,
    s.via,
    s.agent,
    s.notified,
    s.suspected,
    s.probable,
    s.confirmed,
    s.discarded,
    s.positive,
    s.negative,
    s.pending,
    s.deaths,
    s.imported,
    s.hospitalised,
    s.epoch,
    s.kafka_partition,
    s.kafka_offset,
    s.load_id
having count(*) filter (where s.is_live) <> count(*) filter (where not s.is_live)
order by s.known_at, s.subject
limit %(most)s;
