-- name: insert_population_load
-- returns: the number of the new load
-- params: loaded_by text, packaged_version text, file_name text or null, file_sha256 bytea or null
-- used by: streams/stores/populations.py

insert into population_loads (population_load_id, loaded_by, packaged_version, file_name, file_sha256)
select
    coalesce(max(pl.population_load_id), 0) + 1 as population_load_id,
    %(loaded_by)s as loaded_by,
    %(packaged_version)s as packaged_version,
    %(file_name)s::text,
    %(file_sha256)s::bytea
from population_loads as pl
returning population_load_id;
