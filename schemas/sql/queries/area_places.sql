-- name: area_places
-- returns: where some areas are shown in every structure, with the doubts
-- params: area_ids text[]
-- used by: streams/stores/areas.py

select
    ag.structure_on::text as structure_on,
    ag.area_id,
    ag.province_id,
    ag.district_id,
    ag.commune_id,
    ag.province_doubt,
    ag.district_doubt,
    ag.commune_doubt
from area_geographies as ag
where ag.area_id = any(%(area_ids)s)
order by ag.area_id, ag.structure_on;
