-- name: areas_of_code
-- returns: the ids of the areas that have a code on a day (a province, a district or surveillance area, a commune)
-- params: code text, on_day date
-- used by: streams/stores/deliveries.py

select a.area_id
from areas as a
where
    a.code = %(code)s
    and (a.valid_from is null or a.valid_from <= %(on_day)s)
    and (a.valid_to is null or a.valid_to >= %(on_day)s)
order by a.area_id;
