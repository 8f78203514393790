-- name: rebuilt_ledger_differences
-- returns: ledger rows that the live and the rebuilt ledger do not hold equally often
-- params: is_all boolean, or from places on: arrays of equal length partitions int[], epochs int[], next_offsets bigint[]; most int
-- used by: streams/stores/rebuild.py

with sides as (
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
    left join
        unnest(%(partitions)s::int[], %(epochs)s::int[], %(next_offsets)s::bigint[])
            as v (kafka_partition, epoch, next_offset)
        on cc.kafka_partition = v.kafka_partition
    where
        %(is_all)s
        or (
            cc.kafka_partition is not null
            and (v.epoch is null or (cc.epoch, cc.kafka_offset) >= (v.epoch, v.next_offset))
        )
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
    left join
        unnest(%(partitions)s::int[], %(epochs)s::int[], %(next_offsets)s::bigint[])
            as v (kafka_partition, epoch, next_offset)
        on cc.kafka_partition = v.kafka_partition
    where
        %(is_all)s
        or (
            cc.kafka_partition is not null
            and (v.epoch is null or (cc.epoch, cc.kafka_offset) >= (v.epoch, v.next_offset))
        )
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
