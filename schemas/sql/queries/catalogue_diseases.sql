-- name: catalogue_diseases
-- returns: one row per disease: code, and what a syndrome's agents resolve to
-- params: none
-- used by: streams/stores/catalogue.py

select
    d.code,
    d.resolves_to
from diseases as d
order by d.code;
