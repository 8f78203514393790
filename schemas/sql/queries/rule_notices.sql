-- name: rule_notices
-- returns: per number of a key the declared outbreaks of its disease in its areas: year, first day, day of the end
-- params: of equal length, one entry per area of a key: key_nos int[], diseases text[], area_ids text[]
-- used by: streams/stores/rule_history.py

select distinct
    a.key_no,
    n.year,
    n.started_on,
    n.ended_on
from
    unnest(%(key_nos)s::int[], %(diseases)s::text[], %(area_ids)s::text[]) as a (key_no, disease, area_id)
inner join outbreak_notices as n on a.disease = n.disease and a.area_id = n.area_id
order by a.key_no, n.year, n.started_on, n.ended_on;
