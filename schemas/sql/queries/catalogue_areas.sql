-- name: catalogue_areas
-- returns: every area, as streams.domain.areas.Area has it
-- params: none
-- used by: streams/stores/areas.py, streams/stores/catalogue.py, streams/stores/populations.py

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
order by a.area_id;
