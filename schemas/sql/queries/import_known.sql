-- name: import_known
-- returns: one row per case that the source has sent before, among the subjects
-- params: source text, subjects text[]
-- used by: streams/stores/imports.py

select
    ir.subject,
    ir.content,
    ir.event_id,
    ir.event_time
from import_rows as ir
where
    ir.source = %(source)s
    and ir.subject = any(%(subjects)s);
