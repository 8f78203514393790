-- name: rule_case_events
-- returns: the events known at an instant of the cases that stood in a disease and in some areas by then, with onset or report in a period
-- params: disease text, area_ids text[], since date, until date, as_of timestamptz
-- used by: streams/stores/area_cases.py

with touched as (
    select distinct cc.subject
    from count_changes as cc
    where
        cc.disease = %(disease)s
        and cc.basis in ('onset', 'report')
        and cc.agent = ''
        and cc.day between %(since)s and %(until)s
        and cc.area_id = any(%(area_ids)s)
        and cc.known_at <= %(as_of)s
)

select
    ce.subject,
    ce.event_id,
    ce.event_type,
    ce.event_time,
    ce.data
from touched as t
inner join case_events as ce on t.subject = ce.subject
where ce.known_at <= %(as_of)s
order by ce.subject;
