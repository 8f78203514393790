-- name: populated_provinces
-- returns: each structure of areas with the provinces in which it shows an area whose population a load states
-- params: population_load_id int
-- used by: streams/stores/boards.py

select distinct
    ag.structure_on,
    ag.province_id
from populations as p
inner join area_geographies as ag on p.area_id = ag.area_id
where p.population_load_id = %(population_load_id)s
order by ag.structure_on, ag.province_id;
