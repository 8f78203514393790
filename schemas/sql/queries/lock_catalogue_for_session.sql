-- name: lock_catalogue_for_session
-- returns: one row, void; waits until running batches have committed
-- params: none
-- used by: streams/stores/rebuild.py

select pg_advisory_lock(7301);
