-- name: rule_communes
-- returns: per commune of a structure and day of onset: district, cases that are not discarded, confirmed cases
-- params: disease text, area_ids text[], structure_on date, since date, until date, as_of timestamptz or null
-- used by: streams/stores/rule_history.py

with counted as (
    select
        dc.area_id,
        dc.day,
        dc.notified - dc.discarded as cases,
        dc.confirmed
    from daily_counts as dc
    where
        %(as_of)s::timestamptz is null
        and dc.disease = %(disease)s
        and dc.basis = 'onset'
        and dc.agent = ''
        and dc.day between %(since)s and %(until)s
        and dc.area_id = any(%(area_ids)s)
    union all
    select
        cc.area_id,
        cc.day,
        cc.notified - cc.discarded as cases,
        cc.confirmed
    from count_changes as cc
    where
        cc.known_at <= %(as_of)s
        and cc.disease = %(disease)s
        and cc.basis = 'onset'
        and cc.agent = ''
        and cc.day between %(since)s and %(until)s
        and cc.area_id = any(%(area_ids)s)
)

select
    ag.commune_id,
    ag.district_id,
    c.day,
    sum(c.cases)::int as cases,
    sum(c.confirmed)::int as confirmed
from counted as c
inner join area_geographies as ag
    on
        c.area_id = ag.area_id
        and ag.structure_on = %(structure_on)s
where ag.commune_id is not null
group by ag.commune_id, ag.district_id, c.day
having sum(c.cases) <> 0 or sum(c.confirmed) <> 0
order by ag.commune_id, c.day;
