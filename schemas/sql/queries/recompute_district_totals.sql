-- name: recompute_district_totals
-- returns: nothing
-- params: none
-- used by: services/demo/country.py, streams/stores/catalogue.py, streams/stores/rebuild.py

insert into district_totals (
    disease,
    via,
    district_id,
    year,
    basis,
    notified,
    suspected,
    probable,
    confirmed,
    discarded,
    positive,
    negative,
    pending,
    deaths,
    imported,
    hospitalised
)
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
group by dc.disease, dc.via, coalesce(a.district_id, a.province_id), extract(year from dc.day), dc.basis;
