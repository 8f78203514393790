-- name: audit_totals_counted
-- returns: the daily counts of some (disease, basis, year), summed per district
-- params: diseases text[], bases text[], years int[] (side by side; null: without a year)
-- used by: streams/stores/audit_rounds.py

with asked as (
    select
        u.disease,
        u.basis,
        u.year,
        -- A year that no day has is compared with nothing.
        make_date(greatest(1, least(9999, u.year)), 1, 1) as first_day,
        make_date(greatest(1, least(9999, u.year)), 12, 31) as last_day
    from unnest(%(diseases)s::text[], %(bases)s::text[], %(years)s::int[]) as u (disease, basis, year)
)

select
    dc.disease,
    dc.via,
    coalesce(a.district_id, a.province_id) as district_id,
    g.year,
    dc.basis,
    sum(dc.notified)::int as notified,
    sum(dc.suspected)::int as suspected,
    sum(dc.probable)::int as probable,
    sum(dc.confirmed)::int as confirmed,
    sum(dc.discarded)::int as discarded,
    sum(dc.positive)::int as positive,
    sum(dc.negative)::int as negative,
    sum(dc.pending)::int as pending,
    sum(dc.deaths)::int as deaths,
    sum(dc.imported)::int as imported,
    sum(dc.hospitalised)::int as hospitalised
from asked as g
inner join daily_counts as dc
    on
        g.disease = dc.disease
        and g.basis = dc.basis
        and dc.day between g.first_day and g.last_day
inner join areas as a on dc.area_id = a.area_id
where
    g.year between 1 and 9999
    and dc.agent = ''
group by dc.disease, dc.via, coalesce(a.district_id, a.province_id), g.year, dc.basis
union all
select
    dc.disease,
    dc.via,
    coalesce(a.district_id, a.province_id) as district_id,
    g.year,
    dc.basis,
    sum(dc.notified)::int as notified,
    sum(dc.suspected)::int as suspected,
    sum(dc.probable)::int as probable,
    sum(dc.confirmed)::int as confirmed,
    sum(dc.discarded)::int as discarded,
    sum(dc.positive)::int as positive,
    sum(dc.negative)::int as negative,
    sum(dc.pending)::int as pending,
    sum(dc.deaths)::int as deaths,
    sum(dc.imported)::int as imported,
    sum(dc.hospitalised)::int as hospitalised
from asked as g
inner join daily_counts as dc
    on
        g.disease = dc.disease
        and g.basis = dc.basis
inner join areas as a on dc.area_id = a.area_id
where
    g.year is null
    and dc.day is null
    and dc.agent = ''
group by dc.disease, dc.via, coalesce(a.district_id, a.province_id), g.year, dc.basis;
