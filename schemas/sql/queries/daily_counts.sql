-- name: daily_counts
-- returns: every daily count
-- params: none
-- used by: streams/stores/audit.py

select
    dc.disease,
    dc.area_id,
    dc.basis,
    dc.day::text as day,
    dc.via,
    dc.agent,
    dc.notified,
    dc.suspected,
    dc.probable,
    dc.confirmed,
    dc.discarded,
    dc.positive,
    dc.negative,
    dc.pending,
    dc.deaths,
    dc.imported,
    dc.hospitalised
from daily_counts as dc;
