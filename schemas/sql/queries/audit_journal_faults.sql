-- name: audit_journal_faults
-- returns: one row: how many identities do not have exactly one row in the journals, or have rows and are not known
-- params: none
-- used by: streams/stores/audit.py

with journals as (
    select
        ce.subject,
        ce.event_id
    from case_events as ce
    union all
    select
        re.subject,
        re.event_id
    from report_events as re
),

journaled as (
    select
        j.subject,
        j.event_id,
        count(*) as number
    from journals as j
    group by j.subject, j.event_id
)

select count(*) as differing
from event_ids as ei
full outer join journaled as jo
    on
        ei.event_id = jo.event_id
        and ei.subject = jo.subject
where
    ei.event_id is null
    or jo.number is distinct from 1;
