-- name: lock_alert_key
-- returns: one row of nothing; until the end of the transaction nobody else judges this disease and area
-- params: disease text, area_id text
-- used by: streams/stores/alerts.py

select pg_advisory_xact_lock(hashtextextended('alerts|' || %(disease)s || '|' || %(area_id)s, 0));
