-- name: disease_names
-- returns: name of every disease by its code, in the order of the report
-- params: none
-- used by: streams/stores/counts.py

select
    d.code,
    d.name_vi
from diseases as d
order by d.report_order;
