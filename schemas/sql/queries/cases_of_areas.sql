-- name: cases_of_areas
-- returns: area_id and the number of cases that count there at present
-- params: none
-- used by: streams/stores/catalogue.py

select
    c.counted_area_id as area_id,
    count(*)::int as cases
from cases as c
where c.counted_area_id is not null
group by c.counted_area_id;
