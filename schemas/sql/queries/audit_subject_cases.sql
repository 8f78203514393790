-- name: audit_subject_cases
-- returns: some cases, those that there are
-- params: subjects text[]
-- used by: streams/stores/audit_rounds.py

select
    c.subject,
    c.registers,
    c.counted_disease,
    c.counted_area_id,
    c.counted_onset_day::text as counted_onset_day,
    c.counted_report_day::text as counted_report_day,
    c.counted_death_day::text as counted_death_day,
    c.counted_flags,
    c.counted_resolved,
    c.counted_agents
from cases as c
where c.subject = any(%(subjects)s);
