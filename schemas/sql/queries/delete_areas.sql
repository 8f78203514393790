-- name: delete_areas
-- returns: nothing
-- params: area_ids text[]
-- used by: streams/stores/catalogue.py

delete from areas as a
where a.area_id = any(%(area_ids)s);
