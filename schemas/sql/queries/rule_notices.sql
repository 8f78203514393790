-- name: rule_notices
-- returns: the declared outbreaks of a disease in some areas: year, first day, day of the end
-- params: disease text, area_ids text[]
-- used by: streams/stores/rule_history.py

select distinct
    n.year,
    n.started_on,
    n.ended_on
from outbreak_notices as n
where
    n.disease = %(disease)s
    and n.area_id = any(%(area_ids)s)
order by n.year, n.started_on, n.ended_on;
