-- name: names_of_areas
-- returns: names of some areas by their ids
-- params: area_ids text[]
-- used by: streams/stores/counts.py

select
    a.area_id,
    a.name_vi
from areas as a
where a.area_id = any(%(area_ids)s);
