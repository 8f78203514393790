-- name: lock_catalogue_shared
-- returns: one row, void; waits while a catalogue is being loaded
-- params: none
-- used by: streams/stores/ledger.py, streams/stores/reports.py

-- 7_301 is this system's advisory lock for the catalogue; loads take it exclusively.
select pg_advisory_xact_lock_shared(7301);
