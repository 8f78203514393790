-- name: upsert_staged_cases
-- returns: nothing
-- params: none; reads the temporary table staged_cases
-- used by: streams/stores/tables.py

insert into cases as c (
    subject,
    registers,
    counted_disease,
    counted_area_id,
    counted_onset_day,
    counted_report_day,
    counted_death_day,
    counted_flags,
    counted_resolved,
    counted_agents
)
select
    s.subject,
    s.registers,
    s.counted_disease,
    s.counted_area_id,
    s.counted_onset_day,
    s.counted_report_day,
    s.counted_death_day,
    s.counted_flags,
    s.counted_resolved,
    s.counted_agents
from staged_cases as s
order by s.subject
on conflict (subject) do update
    set
        registers = excluded.registers,
        counted_disease = excluded.counted_disease,
        counted_area_id = excluded.counted_area_id,
        counted_onset_day = excluded.counted_onset_day,
        counted_report_day = excluded.counted_report_day,
        counted_death_day = excluded.counted_death_day,
        counted_flags = excluded.counted_flags,
        counted_resolved = excluded.counted_resolved,
        counted_agents = excluded.counted_agents;
