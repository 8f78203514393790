-- name: upsert_staged_areas
-- returns: nothing
-- params: none; reads the temporary table staged_areas
-- used by: streams/stores/catalogue.py

insert into areas (
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
    sa.area_id,
    sa.code,
    sa.kind,
    sa.name_vi,
    sa.parent_id,
    sa.district_id,
    sa.province_id,
    sa.valid_from,
    sa.valid_to,
    sa.latitude,
    sa.longitude,
    sa.area_km2
from staged_areas as sa
on conflict (area_id) do update
    set
        code = excluded.code,
        kind = excluded.kind,
        name_vi = excluded.name_vi,
        parent_id = excluded.parent_id,
        district_id = excluded.district_id,
        province_id = excluded.province_id,
        valid_from = excluded.valid_from,
        valid_to = excluded.valid_to,
        latitude = excluded.latitude,
        longitude = excluded.longitude,
        area_km2 = excluded.area_km2;
