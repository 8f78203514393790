-- name: disease_names
-- returns: name of every disease by its code, in the order of the report
-- params: none
-- used by: streams/stores/areas.py, streams/stores/comparison.py, streams/stores/counts.py, streams/stores/deliveries.py, streams/stores/foci.py, streams/stores/scope.py, streams/stores/tallies.py

select
    d.code,
    d.name_vi
from diseases as d
order by d.report_order;
