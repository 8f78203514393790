-- name: audit_identities
-- returns: the next identities after one, in their order: how many rows each has in the journals
-- params: after_event_id uuid, after_subject text, most int
-- used by: streams/stores/audit_rounds.py

with page as (
    select
        ei.event_id,
        ei.subject
    from event_ids as ei
    where (ei.event_id, ei.subject) > (%(after_event_id)s, %(after_subject)s)
    order by ei.event_id, ei.subject
    limit %(most)s
)

select
    p.subject,
    p.event_id,
    (
        select count(*) from case_events as ce
        where
            ce.subject = p.subject
            and ce.event_id = p.event_id
    ) + (
        select count(*) from report_events as re
        where
            re.kind in ('tally', 'focus')
            and re.subject = p.subject
            and re.event_id = p.event_id
    ) as journaled
from page as p
order by p.event_id, p.subject;
