-- name: audit_totals
-- returns: one row: how many district totals are not the sum of their daily counts
-- params: none
-- used by: streams/stores/audit.py

with counted as (
    select
        dc.disease,
        dc.via,
        coalesce(a.district_id, a.province_id) as district_id,
        extract(year from dc.day)::smallint as year,
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
    from daily_counts as dc
    inner join areas as a on dc.area_id = a.area_id
    where dc.agent = ''
    group by dc.disease, dc.via, coalesce(a.district_id, a.province_id), extract(year from dc.day), dc.basis
)

select count(*) as differing
from district_totals as dt
full outer join counted as co
    on
        dt.disease = co.disease
        and dt.via = co.via
        and dt.district_id = co.district_id
        and coalesce(dt.year, 0) = coalesce(co.year, 0)
        and dt.basis = co.basis
where
    coalesce(dt.notified, 0) <> coalesce(co.notified, 0)
    or coalesce(dt.suspected, 0) <> coalesce(co.suspected, 0)
    or coalesce(dt.probable, 0) <> coalesce(co.probable, 0)
    or coalesce(dt.confirmed, 0) <> coalesce(co.confirmed, 0)
    or coalesce(dt.discarded, 0) <> coalesce(co.discarded, 0)
    or coalesce(dt.positive, 0) <> coalesce(co.positive, 0)
    or coalesce(dt.negative, 0) <> coalesce(co.negative, 0)
    or coalesce(dt.pending, 0) <> coalesce(co.pending, 0)
    or coalesce(dt.deaths, 0) <> coalesce(co.deaths, 0)
    or coalesce(dt.imported, 0) <> coalesce(co.imported, 0)
    or coalesce(dt.hospitalised, 0) <> coalesce(co.hospitalised, 0);
