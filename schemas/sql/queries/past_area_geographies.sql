-- name: past_area_geographies
-- returns: nothing
-- params: load_id int; writes the temporary table area_geographies
-- used by: streams/stores/catalogue.py

insert into pg_temp.area_geographies (
    structure_on,
    area_id,
    province_id,
    district_id,
    commune_id,
    is_approximate
)
select
    p.structure_on,
    p.area_id,
    p.province_id,
    p.district_id,
    p.commune_id,
    p.is_approximate
from catalogue_loads as cl
cross join lateral jsonb_populate_recordset(null::area_geographies, cl.content -> 'area_geographies') as p
where cl.load_id = %(load_id)s;
