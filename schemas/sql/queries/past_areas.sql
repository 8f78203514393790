-- name: past_areas
-- returns: nothing
-- params: load_id int; writes the temporary table areas
-- used by: streams/stores/catalogue.py

insert into pg_temp.areas (
    area_id,
    code,
    kind,
    name_vi,
    parent_id,
    district_id,
    province_id,
    valid_from,
    valid_to,
    latitude,
    longitude,
    area_km2
)
select
    p.area_id,
    p.code,
    p.kind,
    p.name_vi,
    p.parent_id,
    p.district_id,
    p.province_id,
    p.valid_from,
    p.valid_to,
    p.latitude,
    p.longitude,
    p.area_km2
from catalogue_loads as cl
cross join lateral jsonb_populate_recordset(null::areas, cl.content -> 'areas') as p
where cl.load_id = %(load_id)s;
