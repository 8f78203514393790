-- name: upsert_recipient
-- returns: nothing
-- params: recipient_id text, document as JSON text, loaded_by text
-- used by: streams/stores/deliveries.py

insert into recipients (recipient_id, is_active, document, loaded_at, loaded_by)
values (%(recipient_id)s, true, %(document)s, now(), %(loaded_by)s)
on conflict (recipient_id) do update
    set
        is_active = true,
        document = excluded.document,
        loaded_at = excluded.loaded_at,
        loaded_by = excluded.loaded_by;
