-- name: areas_within
-- returns: ids of the areas, of whatever time, that a structure shows in areas of these codes
-- params: structure_on date, area_codes text[] (present codes of provinces, districts or communes)
-- used by: streams/stores/counts.py

select ag.area_id
from area_geographies as ag
where
    ag.structure_on = %(structure_on)s
    and (
        split_part(ag.province_id, '@', 1) = any(%(area_codes)s::text[])
        or split_part(ag.district_id, '@', 1) = any(%(area_codes)s::text[])
        or split_part(ag.commune_id, '@', 1) = any(%(area_codes)s::text[])
    );
