-- name: audit_journal
-- returns: every journaled event that is folded, case by case
-- params: none
-- used by: streams/stores/audit.py

select
    ce.subject,
    ce.event_id,
    ce.event_type,
    ce.event_time,
    ce.data,
    ce.area_id
from case_events as ce
where
    not exists (
        select 1
        from parked_events as pe
        where
            pe.subject = ce.subject
            and pe.event_id = ce.event_id
    )
order by ce.subject;
