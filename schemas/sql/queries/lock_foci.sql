-- name: lock_foci
-- returns: one row per focus that there is, locked in key order; days as ISO text
-- params: subjects text[], in key order
-- used by: streams/stores/report_tables.py

select
    f.subject,
    f.registers,
    f.kind,
    f.disease,
    f.area_id,
    f.day::text,
    f.place,
    f.started_on::text,
    f.ended_on::text,
    f.exposed,
    f.ill,
    f.hospitalised,
    f.dead,
    f.samples,
    f.positives,
    f.first_onset_on::text,
    f.last_onset_on::text,
    f.agent
from foci as f
where f.subject = any(%(subjects)s)
order by f.subject
for update;
