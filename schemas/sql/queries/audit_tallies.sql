-- name: audit_tallies
-- returns: every tally as stored; days as ISO text
-- params: none
-- used by: streams/stores/report_audit.py

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
from tallies as t;
