-- name: tally_figures
-- returns: one row per tally as it stands, or as it stood by an instant or a vector: subject's parts, value, target
-- params: from_ledger boolean, as_of timestamptz or null, a vector or nulls (load_id int, and arrays of equal length: partitions int[], epochs int[], next_offsets bigint[]), disease text or null, indicators text[] or null, area_ids text[]
-- used by: streams/stores/tallies.py

with figures as (
    select
        t.indicator,
        t.disease,
        t.area_id,
        t.period_start,
        t.period_end,
        t.value,
        t.target
    from tallies as t
    where not %(from_ledger)s
    union all
    select
        fc.indicator,
        fc.disease,
        fc.area_id,
        fc.period_start,
        fc.period_end,
        sum(fc.value)::bigint as value,
        case when sum(fc.targeted) > 0 then sum(fc.target)::bigint end as target
    from figure_changes as fc
    left join
        unnest(%(partitions)s::int[], %(epochs)s::int[], %(next_offsets)s::bigint[])
            as v (kafka_partition, epoch, next_offset)
        on fc.kafka_partition = v.kafka_partition
    where
        %(from_ledger)s
        and fc.kind = 'tally'
        and (%(as_of)s::timestamptz is null or fc.known_at <= %(as_of)s)
        and (
            %(load_id)s::int is null
            or fc.load_id <= %(load_id)s
            or (fc.epoch, fc.kafka_offset) < (v.epoch, v.next_offset)
        )
    group by fc.indicator, fc.disease, fc.area_id, fc.period_start, fc.period_end
    having sum(fc.reported) > 0
)

select
    f.indicator,
    f.disease,
    f.area_id,
    f.period_start,
    f.period_end,
    f.value,
    f.target
from figures as f
where
    (%(disease)s::text is null or f.disease = %(disease)s)
    and (%(indicators)s::text[] is null or f.indicator = any(%(indicators)s))
    and f.area_id = any(%(area_ids)s)
order by f.indicator, f.disease, f.area_id, f.period_start, f.period_end;
