-- name: unlock_catalogue_for_session
-- returns: one row: true
-- params: none
-- used by: streams/stores/rebuild.py

select pg_advisory_unlock(7301);
