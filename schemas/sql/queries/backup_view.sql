-- name: backup_view
-- returns: one row: a snapshot for pg_dump, the clock, versions, size in bytes, numbers of rows
-- params: none
-- used by: streams/stores/backups.py

select
    pg_export_snapshot() as snapshot,
    clock_timestamp() as made_at,
    current_setting('server_version') as postgres,
    (
        select pe.extversion from pg_extension as pe
        where pe.extname = 'timescaledb'
    ) as timescaledb,
    pg_database_size(current_database()) as size_bytes,
    (select max(ym.migration_id) from _yoyo_migration as ym) as schema_version,
    (
        select pg_get_userbyid(pc.relowner)::text from pg_class as pc
        where pc.oid = 'stream_offsets'::regclass
    ) as owner,
    (select count(*) from case_events) as case_events,
    (select count(*) from report_events) as report_events,
    (select count(*) from cases) as cases;
