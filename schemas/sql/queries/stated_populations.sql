-- name: stated_populations
-- returns: what a load states, with the area's validity, by area and year; the operator's figure after the package's
-- params: population_load_id int, province_ids text[] or null (all)
-- used by: streams/stores/populations.py

select
    p.area_id,
    a.valid_from::text as valid_from,
    a.valid_to::text as valid_to,
    p.year,
    p.population,
    p.source,
    p.is_packaged,
    a.province_id,
    a.name_vi
from populations as p
inner join areas as a on p.area_id = a.area_id
where
    p.population_load_id = %(population_load_id)s
    and (%(province_ids)s::text[] is null or a.province_id = any(%(province_ids)s))
order by p.area_id asc, p.year asc, p.is_packaged desc;
