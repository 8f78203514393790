-- name: journaled_report
-- returns: one row: the journaled tally or focus event of an identity; none where it is unknown
-- params: subject text, event_id uuid
-- used by: streams/stores/reports.py

select
    re.subject,
    re.event_id,
    re.kind,
    re.event_time,
    re.source,
    re.data
from report_events as re
where
    re.subject = %(subject)s
    and re.event_id = %(event_id)s;
