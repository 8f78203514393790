-- name: insert_catalogue_load
-- returns: one row: known_at of the load, not before any event's
-- params: load_id int, version text, loaded_by text
-- used by: streams/stores/catalogue.py

insert into catalogue_loads (load_id, version, known_at, loaded_by)
select
    %(load_id)s as load_id,
    %(version)s as version,
    greatest(clock_timestamp(), max(so.last_known_at)) as known_at,
    %(loaded_by)s as loaded_by
from stream_offsets as so
returning known_at;
