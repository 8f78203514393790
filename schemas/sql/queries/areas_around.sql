-- name: areas_around
-- returns: district (or surveillance area) and province of each of some areas
-- params: area_ids text[]
-- used by: streams/stores/deliveries.py

select
    a.area_id,
    a.district_id,
    a.province_id
from areas as a
where a.area_id = any(%(area_ids)s::text[]);
