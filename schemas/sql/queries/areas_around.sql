-- name: areas_around
-- returns: district (or surveillance area) and province of one area
-- params: area_id text
-- used by: streams/stores/deliveries.py

select
    a.district_id,
    a.province_id
from areas as a
where a.area_id = %(area_id)s;
