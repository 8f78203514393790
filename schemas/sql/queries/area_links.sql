-- name: area_links
-- returns: from_id, to_id, kind and is_default of every link between areas
-- params: none
-- used by: streams/stores/areas.py

select
    al.from_id,
    al.to_id,
    al.kind,
    al.is_default
from area_links as al
order by al.from_id, al.to_id;
