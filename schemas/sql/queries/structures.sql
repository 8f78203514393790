-- name: structures
-- returns: the days on which a structure of areas came into force, oldest first
-- params: none
-- used by: streams/stores/counts.py

select distinct ag.structure_on
from area_geographies as ag
order by ag.structure_on;
