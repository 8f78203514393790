-- name: lock_alert_keys
-- returns: nothing of use; until the end of the transaction nobody else judges these diseases and areas
-- params: of equal length, in the one order in which everybody locks: diseases text[], area_ids text[]
-- used by: streams/stores/alerts.py

select pg_advisory_xact_lock(hashtextextended('alerts|' || k.disease || '|' || k.area_id, 0))
from unnest(%(diseases)s::text[], %(area_ids)s::text[]) as k (disease, area_id);
