-- name: drop_deliveries
-- returns: nothing
-- params: recipient_ids text[]
-- used by: streams/stores/deliveries.py

update alert_deliveries
set dropped_at = now()
where
    recipient_id = any(%(recipient_ids)s::text[])
    and sent_at is null
    and dropped_at is null;
