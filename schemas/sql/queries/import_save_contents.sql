-- name: import_save_contents
-- returns: nothing
-- params: source text, and arrays of equal length: subjects text[], contents jsonb[]
-- used by: streams/stores/imports.py

update import_rows as ir
set content = r.content
from unnest(%(subjects)s::text[], %(contents)s::jsonb[]) as r (subject, content)
where
    ir.source = %(source)s
    and ir.subject = r.subject;
