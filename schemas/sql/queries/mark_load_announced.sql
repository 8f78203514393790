-- name: mark_load_announced
-- returns: nothing
-- params: load_ids int[]
-- used by: streams/stores/catalogue.py

update catalogue_loads
set announced_at = clock_timestamp()
where
    load_id = any(%(load_ids)s)
    and announced_at is null;
