-- name: counts
-- returns: one row per combination of the dimensions asked for (others null) with every counter, how many of the cases (on the basis of death: deaths) are shown where they may not belong, and the sum of their doubts; rows of zeros are absent
-- params: from_ledger boolean, as_of timestamptz or null, a vector or nulls (load_id int, and arrays of equal length: partitions int[], epochs int[], next_offsets bigint[]), basis text, structure_on date, disease text or null, province_id and district_id text or null, first and last date or null, booleans by_disease, by_agent, by_province, by_district, by_commune, by_day, by_week, by_month, by_year, by_time (any of the last four), whole_years (as the store says: totals of districts may stand for days)
-- used by: streams/stores/counts.py

-- Rows without an agent are the disease's own; a case that a syndrome's laboratory result resolved to
-- another disease stands there with its syndrome in `via`, and in a total over diseases only once.
-- The places are joined within each branch: above them the planner would read the rows of every area.
with places as (
    select
        ag.area_id,
        coalesce(a.district_id, a.province_id) as own_district_id,
        case when %(by_province)s then ag.province_id end as province_id,
        case when %(by_district)s then ag.district_id end as district_id,
        case when %(by_commune)s then ag.commune_id end as commune_id,
        -- Only what the answer says of places can be wrong.
        greatest(
            case when %(by_province)s or %(province_id)s::text is not null then ag.province_doubt else 0 end,
            case when %(by_district)s or %(district_id)s::text is not null then ag.district_doubt else 0 end,
            case when %(by_commune)s then ag.commune_doubt else 0 end
        ) as doubt
    from area_geographies as ag
    inner join areas as a on ag.area_id = a.area_id
    where
        ag.structure_on = %(structure_on)s
        and (%(province_id)s::text is null or ag.province_id = %(province_id)s)
        and (%(district_id)s::text is null or ag.district_id = %(district_id)s)
),

-- The districts whose areas all have one place in the answer: their totals stand for the days of whole years.
whole_districts as (
    select
        p.own_district_id,
        p.province_id,
        p.district_id,
        p.doubt
    from places as p
    where %(whole_years)s
    group by 1, 2, 3, 4
    having
        count(*) = (
            select count(*) from areas as a
            where coalesce(a.district_id, a.province_id) = p.own_district_id
        )
),

other_places as (
    select p.*
    from places as p
    where not exists (
        select from whole_districts as wd
        where wd.own_district_id = p.own_district_id
    )
),

changes as (
    select
        p.province_id,
        p.district_id,
        p.commune_id,
        p.doubt,
        dc.disease,
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
    inner join other_places as p on dc.area_id = p.area_id
    where
        not %(from_ledger)s
        and dc.basis = %(basis)s
    union all
    select
        wd.province_id,
        wd.district_id,
        null as commune_id,
        wd.doubt,
        dt.disease,
        make_date(dt.year, 1, 1) as day,
        dt.via,
        '' as agent,
        dt.notified,
        dt.suspected,
        dt.probable,
        dt.confirmed,
        dt.discarded,
        dt.positive,
        dt.negative,
        dt.pending,
        dt.deaths,
        dt.imported,
        dt.hospitalised
    from district_totals as dt
    inner join whole_districts as wd on dt.district_id = wd.own_district_id
    where
        %(whole_years)s
        and dt.basis = %(basis)s
        -- As below; said of the year, so that the index finds it.
        and (
            (%(basis)s = 'death' and dt.year is null)
            or (
                (%(first)s::date is null or dt.year >= extract(year from %(first)s::date)::smallint)
                and (%(last)s::date is null or dt.year <= extract(year from %(last)s::date)::smallint)
            )
        )
    union all
    select
        p.province_id,
        p.district_id,
        p.commune_id,
        p.doubt,
        cc.disease,
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
    inner join places as p on cc.area_id = p.area_id
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
        case when %(basis)s = 'death' then c.deaths else c.notified end as placed_cases
    from changes as c
    where
        (c.agent <> '') = %(by_agent)s
        and (c.via = '' or %(by_disease)s or %(disease)s::text is not null)
        and (%(disease)s::text is null or c.disease = %(disease)s)
        -- A death without a day is shown as such wherever days are shown; no period can hold it.
        and (
            (
                %(basis)s = 'death'
                and c.day is null
                and (%(by_time)s or (%(first)s::date is null and %(last)s::date is null))
            )
            or (
                (%(first)s::date is null or c.day >= %(first)s)
                and (%(last)s::date is null or c.day <= %(last)s)
            )
        )
)

select
    case when %(by_disease)s then p.disease end as disease,
    case when %(by_agent)s then p.agent end as agent,
    p.province_id,
    p.district_id,
    p.commune_id,
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
    sum(p.notified) filter (where p.via <> '')::int as resolved_from_syndrome,
    coalesce(sum(p.placed_cases) filter (where p.doubt > 0), 0)::int as approximate,
    sum(p.placed_cases * p.doubt) as doubts
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
