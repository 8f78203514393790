-- name: rule_days
-- returns: cases of a disease that are not discarded, by day of onset, over some areas; days without a case are absent
-- params: disease text, area_ids text[], since date, as_of timestamptz or null
-- used by: streams/stores/rule_history.py

with counted as (
    select
        dc.day,
        dc.notified - dc.discarded as cases
    from daily_counts as dc
    where
        %(as_of)s::timestamptz is null
        and dc.disease = %(disease)s
        and dc.basis = 'onset'
        and dc.agent = ''
        and dc.day >= %(since)s
        and dc.area_id = any(%(area_ids)s)
    union all
    select
        cc.day,
        cc.notified - cc.discarded as cases
    from count_changes as cc
    where
        cc.known_at <= %(as_of)s
        and cc.disease = %(disease)s
        and cc.basis = 'onset'
        and cc.agent = ''
        and cc.day >= %(since)s
        and cc.area_id = any(%(area_ids)s)
)

select
    c.day,
    sum(c.cases)::int as cases
from counted as c
group by c.day
having sum(c.cases) <> 0
order by c.day;
