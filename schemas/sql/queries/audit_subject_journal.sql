-- name: audit_subject_journal
-- returns: every journaled event of some cases, case by case: whether it is parked, whether its identity is known
-- params: subjects text[]
-- used by: streams/stores/audit_rounds.py

select
    ce.subject,
    ce.event_id,
    ce.event_type,
    ce.event_time,
    ce.data,
    ce.area_id,
    pe.event_id is not null as is_parked,
    ei.event_id is not null as has_identity
from case_events as ce
left join parked_events as pe
    on
        ce.subject = pe.subject
        and ce.event_id = pe.event_id
left join event_ids as ei
    on
        ce.event_id = ei.event_id
        and ce.subject = ei.subject
where ce.subject = any(%(subjects)s)
order by ce.subject;
