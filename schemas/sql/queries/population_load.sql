-- name: population_load
-- returns: the load in force (population_load_id, loaded_at, loaded_by, packaged_version, file_name, file_sha256); no row where there never was one
-- params: none
-- used by: streams/stores/populations.py

select
    pl.population_load_id,
    pl.loaded_at,
    pl.loaded_by,
    pl.packaged_version,
    pl.file_name,
    encode(pl.file_sha256, 'hex') as file_sha256
from population_loads as pl
order by pl.population_load_id desc
limit 1;
