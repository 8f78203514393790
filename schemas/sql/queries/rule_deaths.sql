-- name: rule_deaths
-- returns: per day with a known death of a disease over a district's areas: how many
-- params: disease text, district_id text, structure_on date, since date, until date, as_of timestamptz or null
-- used by: streams/stores/rule_history.py

with counted as (
    select
        dc.area_id,
        dc.day,
        dc.deaths
    from daily_counts as dc
    where
        %(as_of)s::timestamptz is null
        and dc.disease = %(disease)s
        and dc.basis = 'death'
        and dc.agent = ''
        and dc.day between %(since)s and %(until)s
    union all
    select
        cc.area_id,
        cc.day,
        cc.deaths
    from count_changes as cc
    where
        cc.known_at <= %(as_of)s
        and cc.disease = %(disease)s
        and cc.basis = 'death'
        and cc.agent = ''
        and cc.day between %(since)s and %(until)s
)

select
    c.day,
    sum(c.deaths)::int as deaths
from counted as c
inner join area_geographies as ag
    on
        c.area_id = ag.area_id
        and ag.structure_on = %(structure_on)s
where ag.district_id = %(district_id)s
group by c.day
having sum(c.deaths) > 0
order by c.day;
