-- name: database_health
-- returns: one row: clock, versions, catalogue in force
-- params: none
-- used by: streams/stores/health.py

select
    clock_timestamp() as now,
    current_setting('server_version') as postgres,
    (
        select pe.extversion from pg_extension as pe
        where pe.extname = 'timescaledb'
    ) as timescaledb,
    (
        select cl.version from catalogue_loads as cl
        order by cl.load_id desc limit 1
    ) as catalogue_version;
