-- name: import_save_rows
-- returns: nothing
-- params: source text, and arrays of equal length: subjects text[], contents jsonb[], event_ids uuid[], event_times timestamptz[], events jsonb[]
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
    unnest(
        %(subjects)s::text[],
        %(contents)s::jsonb[],
        %(event_ids)s::uuid[],
        %(event_times)s::timestamptz[],
        %(events)s::jsonb[]
    ) as r (subject, content, event_id, event_time, event)
on conflict (source, subject) do update
    set
        content = excluded.content,
        event_id = excluded.event_id,
        event_time = excluded.event_time,
        sent_at = null,
        event = excluded.event;
