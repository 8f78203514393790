-- name: tally_discrepancies
-- returns: one row per tally of cases or deaths that does not count, beside the cases counted in its area and period
-- params: basis text, disease text or null, first and last date or null, area_ids text[]
-- used by: streams/stores/tallies.py

-- An area's own district and province, of its own time: what a tally speaks for does not change with the view.
with within as (
    select
        a.area_id,
        h.holder_id
    from areas as a
    cross join lateral (values (a.area_id), (a.district_id), (a.province_id)) as h (holder_id)
    where h.holder_id is not null
),

spoken_for as (
    select
        w.holder_id,
        w.area_id
    from within as w
    union
    -- For the time before it was there, an area speaks for those that it took over from.
    select
        al.to_id as holder_id,
        w.area_id
    from area_links as al
    inner join within as w on al.from_id = w.holder_id
)

select
    t.subject,
    t.indicator,
    t.disease,
    t.area_id,
    t.period_start,
    t.period_end,
    t.value,
    t.known_at,
    crs.since as case_reports_since,
    coalesce(sum(case t.indicator when 'cases' then dc.notified else dc.deaths end), 0)::bigint as counted
from tallies as t
inner join areas as ta on t.area_id = ta.area_id
left join case_reports_since as crs
    on
        t.disease = crs.disease
        and ta.province_id = crs.province_id
left join spoken_for as sf on t.area_id = sf.holder_id
left join daily_counts as dc
    on
        sf.area_id = dc.area_id
        and t.disease = dc.disease
        and dc.basis = %(basis)s
        and dc.agent = ''
        and dc.day between t.period_start and t.period_end
where
    t.indicator in ('cases', 'deaths')
    and (crs.since is null or t.period_end >= crs.since)
    and (%(disease)s::text is null or t.disease = %(disease)s)
    and (%(first)s::date is null or t.period_start >= %(first)s)
    and (%(last)s::date is null or t.period_end <= %(last)s)
    and t.area_id = any(%(area_ids)s)
group by t.subject, crs.since
order by t.disease, t.indicator, t.period_start, t.period_end, t.area_id;
