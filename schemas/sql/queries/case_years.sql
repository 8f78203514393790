-- name: case_years
-- returns: the calendar years in which a province has at least one counted case of a disease, by day of onset
-- params: from_ledger boolean, as_of timestamptz or null, a vector or nulls (load_id int, and arrays of equal length: partitions int[], epochs int[], next_offsets bigint[]), disease text or null, province_ids text[], years int[] or null (all)
-- used by: streams/stores/tallies.py

with changes as (
    select
        dt.disease,
        a.province_id,
        dt.year::int as year,
        dt.notified::int as notified
    from district_totals as dt
    -- Totals stand on provinces, districts and surveillance areas only: a few areas of each province.
    inner join areas as a
        on
            dt.district_id = a.area_id
            and a.kind <> 'commune'
            and a.province_id = any(%(province_ids)s)
    where
        not %(from_ledger)s
        and dt.basis = 'onset'
        and (%(years)s::int[] is null or dt.year = any(%(years)s::int[]))
    union all
    select
        cc.disease,
        a.province_id,
        extract(year from cc.day)::int as year,
        cc.notified::int as notified
    from count_changes as cc
    inner join areas as a on cc.area_id = a.area_id
    left join
        unnest(%(partitions)s::int[], %(epochs)s::int[], %(next_offsets)s::bigint[])
            as v (kafka_partition, epoch, next_offset)
        on cc.kafka_partition = v.kafka_partition
    where
        %(from_ledger)s
        and cc.basis = 'onset'
        and cc.agent = ''
        and (%(as_of)s::timestamptz is null or cc.known_at <= %(as_of)s)
        and (
            %(load_id)s::int is null
            or cc.load_id <= %(load_id)s
            or (cc.epoch, cc.kafka_offset) < (v.epoch, v.next_offset)
        )
)

select
    c.disease,
    c.province_id,
    c.year
from changes as c
where
    (%(disease)s::text is null or c.disease = %(disease)s)
    and c.province_id = any(%(province_ids)s)
    and (%(years)s::int[] is null or c.year = any(%(years)s::int[]))
group by c.disease, c.province_id, c.year
having sum(c.notified) > 0;
