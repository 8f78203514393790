-- name: lock_tallies
-- returns: one row per tally that there is, locked in key order; days as ISO text
-- params: subjects text[], in key order
-- used by: streams/stores/report_tables.py

select
    t.subject,
    t.registers,
    t.indicator,
    t.disease,
    t.area_id,
    t.period_start::text,
    t.period_end::text,
    t.value,
    t.target
from tallies as t
where t.subject = any(%(subjects)s)
order by t.subject
for update;
