-- name: import_save_rows
-- returns: nothing
-- params: source text, rows jsonb: a list of {subject, content, event_id, event_time, event}
-- used by: streams/stores/imports.py

insert into import_rows (source, subject, content, event_id, event_time, sent_at, event)
select
    %(source)s as source,
    r.subject,
    r.content,
    r.event_id,
    r.event_time,
    null as sent_at,
    r.event
from
    jsonb_to_recordset(%(rows)s::jsonb)
        as r (subject text, content jsonb, event_id uuid, event_time timestamptz, event jsonb)
on conflict (source, subject) do update
    set
        content = excluded.content,
        event_id = excluded.event_id,
        event_time = excluded.event_time,
        sent_at = null,
        event = excluded.event;
