-- name: retire_recipients
-- returns: the ids of those who are told no longer
-- params: kept text[] (ids of those who stay)
-- used by: streams/stores/deliveries.py

update recipients
set is_active = false
where
    is_active
    and recipient_id <> all(%(kept)s::text[])
returning recipient_id;
