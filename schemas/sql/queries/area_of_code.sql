-- name: area_of_code
-- returns: the id of the area that a code meant on a day; none where it meant nothing. Official areas before surveillance areas
-- params: code text, day date
-- used by: streams/stores/area_cases.py, streams/stores/rules.py

select a.area_id
from areas as a
where
    a.code = %(code)s
    and (a.valid_from is null or a.valid_from <= %(day)s)
    and (a.valid_to is null or a.valid_to >= %(day)s)
order by a.kind = 'surveillance'
limit 1;
