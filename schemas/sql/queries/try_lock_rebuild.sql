-- name: try_lock_rebuild
-- returns: one row: whether no other rebuild runs; this one's lock lasts as long as its connection
-- params: none
-- used by: streams/stores/rebuild.py

-- 7_302 is this system's advisory lock for rebuilds.
select pg_try_advisory_lock(7302) as is_locked;
