-- name: journal_ends
-- returns: one row per partition that has journaled events of cases: 'case', the partition, the place after the last one
-- params: none
-- used by: streams/stores/rebuild.py

-- Partition by partition along the index: a group-by would read the whole journal.
with recursive partitions as (
    (
        select ce.kafka_partition
        from case_events as ce
        order by ce.kafka_partition
        limit 1
    )
    union all
    select
        (
            select ce.kafka_partition
            from case_events as ce
            where ce.kafka_partition > p.kafka_partition
            order by ce.kafka_partition
            limit 1
        ) as kafka_partition
    from partitions as p
    where p.kafka_partition is not null
)

select
    'case' as kind,
    p.kafka_partition,
    last_event.epoch,
    last_event.kafka_offset + 1 as next_offset
from partitions as p
cross join lateral (
    select
        ce.epoch,
        ce.kafka_offset
    from case_events as ce
    where ce.kafka_partition = p.kafka_partition
    order by ce.epoch desc, ce.kafka_offset desc
    limit 1
) as last_event;
