-- name: lock_rebuild_part
-- returns: one row, void; the lock is shared by the processes of one rebuild and lasts as long as the connection
-- params: none
-- used by: streams/stores/rebuild_parts.py

-- 7_304 is this system's advisory lock for the parts of a rebuild.
select pg_advisory_lock_shared(7304);
