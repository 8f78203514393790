-- name: insert_catalogue_load
-- returns: one row: known_at of the load, not before any event's
-- params: load_id int, version and package_version text, loaded_by text
-- used by: streams/stores/catalogue.py

insert into catalogue_loads (load_id, version, known_at, package_version, loaded_by, operator_files)
select
    %(load_id)s as load_id,
    %(version)s as version,
    greatest(clock_timestamp(), max(so.last_known_at)) as known_at,
    %(package_version)s as package_version,
    %(loaded_by)s as loaded_by,
    (
        select
            coalesce(
                jsonb_agg(
                    jsonb_build_object('name', f.name, 'sha256', encode(f.sha256, 'hex'))
                    order by f.position
                ),
                '[]'
            )
        from operator_files as f
    ) as operator_files
from stream_offsets as so
returning known_at;
