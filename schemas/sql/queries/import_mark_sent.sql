-- name: import_mark_sent
-- returns: nothing
-- params: source text, and arrays of equal length: subjects text[], event_ids uuid[]
-- used by: streams/stores/imports.py

update import_rows as ir
set sent_at = clock_timestamp()
from unnest(%(subjects)s::text[], %(event_ids)s::uuid[]) as r (subject, event_id)
where
    ir.source = %(source)s
    and ir.subject = r.subject
    and ir.event_id = r.event_id;
