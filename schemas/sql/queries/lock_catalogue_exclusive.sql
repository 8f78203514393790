-- name: lock_catalogue_exclusive
-- returns: one row, void; waits until running batches have committed
-- params: none
-- used by: streams/stores/catalogue.py

select pg_advisory_xact_lock(7301);
