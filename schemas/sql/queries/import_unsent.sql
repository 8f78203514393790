-- name: import_unsent
-- returns: the source's rows whose event Kafka has not acknowledged, in key order
-- params: source text
-- used by: streams/stores/imports.py

select
    ir.subject,
    ir.content,
    ir.event_id,
    ir.event_time,
    ir.event
from import_rows as ir
where
    ir.source = %(source)s
    and ir.sent_at is null
order by ir.subject;
