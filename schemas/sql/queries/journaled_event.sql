-- name: journaled_event
-- returns: one row: the journaled event of an identity; none where it is unknown
-- params: subject text, event_id uuid
-- used by: streams/stores/ledger.py

select
    ce.subject,
    ce.event_id,
    ce.event_type,
    ce.event_time,
    ce.source,
    ce.data
from case_events as ce
where
    ce.subject = %(subject)s
    and ce.event_id = %(event_id)s;
