-- name: extension_version
-- returns: the version of TimescaleDB in this database; no row where it is not there
-- params: none
-- used by: streams/stores/backups.py

select pe.extversion
from pg_extension as pe
where pe.extname = 'timescaledb';
