-- name: report_changes
-- returns: one row per case and key of those whose counts in a province and period moved between two instants: what stood there at the first and at the second, and whether the key is in that province and period
-- params: structure_on date, province_id text, basis text, first and last date, since and until timestamptz
-- used by: streams/stores/report_changes.py

with touched as (
    select distinct cc.subject
    from count_changes as cc
    inner join area_geographies as ag
        on
            cc.area_id = ag.area_id
            and ag.structure_on = %(structure_on)s
    where
        cc.known_at > %(since)s
        and cc.known_at <= %(until)s
        and cc.basis = %(basis)s
        and cc.via = ''
        and cc.agent = ''
        and cc.day between %(first)s and %(last)s
        and ag.province_id = %(province_id)s
),

standing as (
    select
        cc.subject,
        cc.disease,
        cc.area_id,
        cc.day,
        coalesce(sum(cc.notified) filter (where cc.known_at <= %(since)s), 0)::int as before,
        sum(cc.notified)::int as after,
        coalesce(sum(cc.deaths) filter (where cc.known_at <= %(since)s), 0)::int as deaths_before,
        sum(cc.deaths)::int as deaths_after
    from count_changes as cc
    inner join touched as t on cc.subject = t.subject
    where
        cc.known_at <= %(until)s
        and cc.basis = %(basis)s
        and cc.via = ''
        and cc.agent = ''
    group by cc.subject, cc.disease, cc.area_id, cc.day
)

select
    s.subject,
    s.disease,
    coalesce(c.name_vi, '') as commune_name,
    coalesce(d.name_vi, '') as district_name,
    s.day,
    s.before,
    s.after,
    s.deaths_before,
    s.deaths_after,
    ag.province_id = %(province_id)s and s.day between %(first)s and %(last)s as is_within
from standing as s
inner join area_geographies as ag
    on
        s.area_id = ag.area_id
        and ag.structure_on = %(structure_on)s
left join areas as c on ag.commune_id = c.area_id
left join areas as d on ag.district_id = d.area_id
where
    s.before <> 0
    or s.after <> 0
order by s.subject, s.disease, s.day, s.area_id;
