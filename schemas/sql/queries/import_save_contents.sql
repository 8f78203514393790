-- name: import_save_contents
-- returns: nothing
-- params: source text, rows jsonb: a list of {subject, content}
-- used by: streams/stores/imports.py

update import_rows as ir
set content = r.content
from jsonb_to_recordset(%(rows)s::jsonb) as r (subject text, content jsonb)
where
    ir.source = %(source)s
    and ir.subject = r.subject;
