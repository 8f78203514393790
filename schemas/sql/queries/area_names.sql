-- name: area_names
-- returns: name of every area by its id
-- params: none
-- used by: streams/stores/counts.py

select
    a.area_id,
    a.name_vi
from areas as a;
