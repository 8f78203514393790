-- name: report_journal_ends
-- returns: one row per kind and partition that has journaled events of tallies or foci: the place after the last one
-- params: none
-- used by: streams/stores/rebuild.py

-- From one to the next along the index: a group-by would read the whole journal.
with recursive logs as (
    (
        select
            re.kind,
            re.kafka_partition
        from report_events as re
        order by re.kind, re.kafka_partition
        limit 1
    )
    union all
    select
        following.kind,
        following.kafka_partition
    from logs as lo
    cross join lateral (
        select
            re.kind,
            re.kafka_partition
        from report_events as re
        where (re.kind, re.kafka_partition) > (lo.kind, lo.kafka_partition)
        order by re.kind, re.kafka_partition
        limit 1
    ) as following
)

select
    lo.kind,
    lo.kafka_partition,
    last_event.epoch,
    last_event.kafka_offset + 1 as next_offset
from logs as lo
cross join lateral (
    select
        re.epoch,
        re.kafka_offset
    from report_events as re
    where
        re.kind = lo.kind
        and re.kafka_partition = lo.kafka_partition
    order by re.epoch desc, re.kafka_offset desc
    limit 1
) as last_event;
