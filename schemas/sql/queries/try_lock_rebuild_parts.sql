-- name: try_lock_rebuild_parts
-- returns: one row: whether no process of an earlier rebuild is at work any more; locked until the transaction ends
-- params: none
-- used by: streams/stores/rebuild.py

select pg_try_advisory_xact_lock(7304) as is_locked;
