-- name: counts
-- returns: one row per combination of the dimensions asked for (others null) with every counter; rows of zeros are absent
-- params: from_ledger boolean, as_of timestamptz or null, a vector or nulls (load_id int, and arrays of equal length: partitions int[], epochs int[], next_offsets bigint[]), basis text, structure_on date, disease text or null, province_id and district_id text or null, first and last date or null, booleans by_disease, by_agent, by_province, by_district, by_commune, by_day, by_week, by_month, by_year, by_time (any of the last four)
-- used by: streams/stores/counts.py

-- Rows without an agent are the disease's own; a case that a syndrome's laboratory result resolved to
-- another disease stands there with its syndrome in `via`, and in a total over diseases only once.
with changes as (
    select
        dc.disease,
        dc.area_id,
        dc.day,
        dc.via,
        dc.agent,
        dc.notified,
        dc.suspected,
        dc.probable,
        dc.confirmed,
        dc.discarded,
        dc.positive,
        dc.negative,
        dc.pending,
        dc.deaths,
        dc.imported,
        dc.hospitalised
    from daily_counts as dc
    where
        not %(from_ledger)s
        and dc.basis = %(basis)s
    union all
    select
        cc.disease,
        cc.area_id,
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
        cc.hospitalised
    from count_changes as cc
    left join
        unnest(%(partitions)s::int[], %(epochs)s::int[], %(next_offsets)s::bigint[])
            as v (kafka_partition, epoch, next_offset)
        on cc.kafka_partition = v.kafka_partition
    where
        %(from_ledger)s
        and cc.basis = %(basis)s
        and (%(as_of)s::timestamptz is null or cc.known_at <= %(as_of)s)
        and (
            %(load_id)s::int is null
            or cc.load_id <= %(load_id)s
            or (cc.epoch, cc.kafka_offset) < (v.epoch, v.next_offset)
        )
),

placed as (
    select
        c.*,
        ag.province_id,
        ag.district_id,
        ag.commune_id
    from changes as c
    inner join area_geographies as ag
        on
            c.area_id = ag.area_id
            and ag.structure_on = %(structure_on)s
    where
        (c.agent <> '') = %(by_agent)s
        and (c.via = '' or %(by_disease)s or %(disease)s::text is not null)
        and (%(disease)s::text is null or c.disease = %(disease)s)
        and (%(province_id)s::text is null or ag.province_id = %(province_id)s)
        and (%(district_id)s::text is null or ag.district_id = %(district_id)s)
        -- A death without a day is shown as such wherever days are shown; no period can hold it.
        and (
            (c.day is null and (%(by_time)s or (%(first)s::date is null and %(last)s::date is null)))
            or (
                (%(first)s::date is null or c.day >= %(first)s)
                and (%(last)s::date is null or c.day <= %(last)s)
            )
        )
)

select
    case when %(by_disease)s then p.disease end as disease,
    case when %(by_agent)s then p.agent end as agent,
    case when %(by_province)s then p.province_id end as province_id,
    case when %(by_district)s then p.district_id end as district_id,
    case when %(by_commune)s then p.commune_id end as commune_id,
    case when %(by_day)s then p.day end as day,
    case when %(by_week)s then date_trunc('week', p.day)::date end as week_start,
    case when %(by_month)s then date_trunc('month', p.day)::date end as month_start,
    case when %(by_year)s then extract(year from p.day)::int end as year,
    sum(p.notified)::int as notified,
    sum(p.suspected)::int as suspected,
    sum(p.probable)::int as probable,
    sum(p.confirmed)::int as confirmed,
    sum(p.discarded)::int as discarded,
    sum(p.positive)::int as positive,
    sum(p.negative)::int as negative,
    sum(p.pending)::int as pending,
    sum(p.deaths)::int as deaths,
    sum(p.imported)::int as imported,
    sum(p.hospitalised)::int as hospitalised,
    sum(p.notified) filter (where p.via <> '')::int as resolved_from_syndrome
from placed as p
group by 1, 2, 3, 4, 5, 6, 7, 8, 9
having
    sum(p.notified) <> 0
    or sum(p.suspected) <> 0
    or sum(p.probable) <> 0
    or sum(p.confirmed) <> 0
    or sum(p.discarded) <> 0
    or sum(p.positive) <> 0
    or sum(p.negative) <> 0
    or sum(p.pending) <> 0
    or sum(p.deaths) <> 0
    or sum(p.imported) <> 0
    or sum(p.hospitalised) <> 0
order by 1, 2, 3, 4, 5, 6, 7, 8, 9;
