-- name: audit_identity_rows
-- returns: for some identities, whether each is known and how many rows it has in the journals
-- params: subjects text[], event_ids uuid[]
-- used by: streams/stores/audit_rounds.py

select
    asked.subject,
    asked.event_id,
    exists(
        select 1 from event_ids as ei
        where
            ei.event_id = asked.event_id
            and ei.subject = asked.subject
    ) as has_identity,
    (
        select count(*) from case_events as ce
        where
            ce.subject = asked.subject
            and ce.event_id = asked.event_id
    ) + (
        select count(*) from report_events as re
        where
            re.kind in ('tally', 'focus')
            and re.subject = asked.subject
            and re.event_id = asked.event_id
    ) as journaled
from unnest(%(subjects)s::text[], %(event_ids)s::uuid[]) as asked (subject, event_id);
