-- name: counts
-- returns: one row per period (its number, from 1) and combination of the dimensions asked for (others null) with every counter, how many of the cases (on the basis of death: deaths) are shown where they may not belong, and the sum of their doubts; rows of zeros are absent
-- params: from_ledger boolean, as_of timestamptz or null, a vector or nulls (load_id int, and arrays of equal length: partitions int[], epochs int[], next_offsets bigint[]), basis text, structure_on date, disease text or null, province_id and district_id text or null, days to read as arrays of equal length (numbers int[] of the periods, signs int[], firsts and lasts date[], null where open, have_dayless boolean[]: also deaths without a day, are_rest boolean[]: of the districts whose totals are read), totals to read as arrays of equal length (year_numbers, first_years and last_years int[], years_have_dayless boolean[]), booleans by_disease, by_agent, by_province, by_district, by_commune, by_day, by_week, by_month, by_year
-- used by: streams/stores/counts.py

-- Rows without an agent are the disease's own; a case that a syndrome's laboratory result resolved to
-- another disease stands there with its syndrome in `via`, and in a total over diseases only once.
-- The places are joined within each branch: above them the planner would read the rows of every area.
with days as (
    select
        u.number,
        u.sign,
        coalesce(u.first, '-infinity') as first,
        coalesce(u.last, 'infinity') as last,
        u.has_dayless,
        u.is_rest
    from
        unnest(
            %(numbers)s::int[],
            %(signs)s::int[],
            %(firsts)s::date[],
            %(lasts)s::date[],
            %(have_dayless)s::boolean[],
            %(are_rest)s::boolean[]
        ) as u (number, sign, first, last, has_dayless, is_rest)
),

years as (
    select u.*
    from
        unnest(
            %(year_numbers)s::int[],
            %(first_years)s::int[],
            %(last_years)s::int[],
            %(years_have_dayless)s::boolean[]
        ) as u (number, first_year, last_year, has_dayless)
),

places as (
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
    where exists (select from years)
    group by 1, 2, 3, 4
    having
        count(*) = (
            select count(*) from areas as a
            where coalesce(a.district_id, a.province_id) = p.own_district_id
        )
),

totalled_districts as (
    select distinct wd.own_district_id
    from whole_districts as wd
),

-- Places and days are put together before the counts are looked up: by both at once the index finds them.
whole_places as materialized (
    select
        wd.own_district_id,
        wd.province_id,
        wd.district_id,
        wd.doubt,
        y.number,
        y.first_year,
        y.last_year,
        y.has_dayless
    from whole_districts as wd
    cross join years as y
),

places_by_day as materialized (
    select
        p.area_id,
        p.province_id,
        p.district_id,
        p.commune_id,
        p.doubt,
        d.number,
        d.sign,
        d.first,
        d.last,
        d.has_dayless
    from places as p
    left join totalled_districts as td on p.own_district_id = td.own_district_id
    inner join days as d on d.is_rest = (td.own_district_id is not null)
),

changes as (
    select
        p.number,
        p.sign,
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
    inner join places_by_day as p
        on
            dc.area_id = p.area_id
            and (
                dc.day between p.first and p.last
                -- Of the other bases this is not asked at all, so that the days are the index's.
                or (%(basis)s = 'death' and dc.day is null and p.has_dayless)
            )
    where
        not %(from_ledger)s
        and dc.basis = %(basis)s
    union all
    select
        wp.number,
        1 as sign,
        wp.province_id,
        wp.district_id,
        null as commune_id,
        wp.doubt,
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
    inner join whole_places as wp
        on
            dt.district_id = wp.own_district_id
            and (
                dt.year between wp.first_year and wp.last_year
                or (%(basis)s = 'death' and dt.year is null and wp.has_dayless)
            )
    where dt.basis = %(basis)s
    union all
    select
        d.number,
        d.sign,
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
    inner join days as d
        on
            cc.day between d.first and d.last
            or (%(basis)s = 'death' and cc.day is null and d.has_dayless)
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
),

-- Added up apart by sign: few rows are left to be taken from one another.
added as (
    select
        p.number,
        p.sign,
        case when %(by_disease)s then p.disease end as disease,
        case when %(by_agent)s then p.agent end as agent,
        p.province_id,
        p.district_id,
        p.commune_id,
        case when %(by_day)s then p.day end as day,
        case when %(by_week)s then date_trunc('week', p.day)::date end as week_start,
        case when %(by_month)s then date_trunc('month', p.day)::date end as month_start,
        case when %(by_year)s then extract(year from p.day)::int end as year,
        sum(p.notified) as notified,
        sum(p.suspected) as suspected,
        sum(p.probable) as probable,
        sum(p.confirmed) as confirmed,
        sum(p.discarded) as discarded,
        sum(p.positive) as positive,
        sum(p.negative) as negative,
        sum(p.pending) as pending,
        sum(p.deaths) as deaths,
        sum(p.imported) as imported,
        sum(p.hospitalised) as hospitalised,
        sum(p.notified) filter (where p.via <> '') as resolved_from_syndrome,
        coalesce(sum(p.placed_cases) filter (where p.doubt > 0), 0) as approximate,
        sum(p.placed_cases * p.doubt) as doubts
    from placed as p
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
)

select
    a.number as period,
    a.disease,
    a.agent,
    a.province_id,
    a.district_id,
    a.commune_id,
    a.day,
    a.week_start,
    a.month_start,
    a.year,
    sum(a.sign * a.notified)::int as notified,
    sum(a.sign * a.suspected)::int as suspected,
    sum(a.sign * a.probable)::int as probable,
    sum(a.sign * a.confirmed)::int as confirmed,
    sum(a.sign * a.discarded)::int as discarded,
    sum(a.sign * a.positive)::int as positive,
    sum(a.sign * a.negative)::int as negative,
    sum(a.sign * a.pending)::int as pending,
    sum(a.sign * a.deaths)::int as deaths,
    sum(a.sign * a.imported)::int as imported,
    sum(a.sign * a.hospitalised)::int as hospitalised,
    sum(a.sign * a.resolved_from_syndrome)::int as resolved_from_syndrome,
    sum(a.sign * a.approximate)::int as approximate,
    sum(a.sign * a.doubts) as doubts
from added as a
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
having
    sum(a.sign * a.notified) <> 0
    or sum(a.sign * a.suspected) <> 0
    or sum(a.sign * a.probable) <> 0
    or sum(a.sign * a.confirmed) <> 0
    or sum(a.sign * a.discarded) <> 0
    or sum(a.sign * a.positive) <> 0
    or sum(a.sign * a.negative) <> 0
    or sum(a.sign * a.pending) <> 0
    or sum(a.sign * a.deaths) <> 0
    or sum(a.sign * a.imported) <> 0
    or sum(a.sign * a.hospitalised) <> 0
order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
