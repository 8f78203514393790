-- name: reporting_triangle_by_report
-- returns: one row per series, period of onset and period of the report: cases as they stand now (moved, arrivals and counted are equal)
-- params: structure_on date, province_id and district_id text or null, first and last date (onset and report), booleans by_disease, by_district, weekly
-- used by: streams/stores/triangle.py

with standing as (
    select
        c.counted_disease as disease,
        c.counted_area_id as area_id,
        c.counted_onset_day as onset,
        c.counted_report_day as reported,
        '' as via
    from cases as c
    where c.counted_disease is not null
    union all
    select distinct
        split_part(resolved.pair, '=', 2) as disease,
        c.counted_area_id as area_id,
        c.counted_onset_day as onset,
        c.counted_report_day as reported,
        c.subject as via
    from cases as c
    cross join lateral unnest(c.counted_resolved) as resolved (pair)
    where c.counted_disease is not null
)

select
    case when %(by_disease)s then s.disease end as disease,
    case when %(by_district)s then ag.district_id end as district_id,
    case when %(weekly)s then date_trunc('week', s.onset)::date else s.onset end as onset,
    case when %(weekly)s then date_trunc('week', s.reported)::date else s.reported end as known,
    count(*)::int as moved,
    count(*)::int as arrivals,
    count(*)::int as counted
from standing as s
inner join area_geographies as ag
    on
        s.area_id = ag.area_id
        and ag.structure_on = %(structure_on)s
where
    s.onset between %(first)s and %(last)s
    and s.reported <= %(last)s
    and (s.via = '' or %(by_disease)s)
    and (%(province_id)s::text is null or ag.province_id = %(province_id)s)
    and (%(district_id)s::text is null or ag.district_id = %(district_id)s)
group by 1, 2, 3, 4
order by 1, 2, 3, 4;
