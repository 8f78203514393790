-- name: areas_of_codes
-- returns: every area that ever had one of some codes, as streams.domain.areas.Area has it
-- params: codes text[]
-- used by: streams/stores/counts.py

select
    a.area_id,
    a.code,
    a.kind,
    a.name_vi,
    a.province_id,
    a.district_id,
    a.valid_from::text as valid_from,
    a.valid_to::text as valid_to
from areas as a
where a.code = any(%(codes)s)
order by a.area_id;
