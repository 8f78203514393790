-- name: audit_foci
-- returns: every focus as stored; days as ISO text
-- params: none
-- used by: streams/stores/report_audit.py

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
from foci as f;
