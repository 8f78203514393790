-- name: unpark_reports
-- returns: nothing
-- params: folded_at timestamptz, kind text; arrays of equal length: subjects text[], event_ids uuid[]
-- used by: streams/stores/report_tables.py

update parked_reports as pr
set folded_at = %(folded_at)s
from unnest(%(subjects)s::text[], %(event_ids)s::uuid[]) as e (subject, event_id)
where
    pr.kind = %(kind)s
    and pr.subject = e.subject
    and pr.event_id = e.event_id;
