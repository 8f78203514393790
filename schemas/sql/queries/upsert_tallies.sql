-- name: upsert_tallies
-- returns: nothing
-- params: rows, a JSON array of objects with the columns of tallies; known_at null where the figure is as it was
-- used by: streams/stores/report_tables.py

insert into tallies as t (
    subject, registers, indicator, disease, area_id, period_start, period_end, value, target, known_at
)
select
    r.subject,
    r.registers,
    r.indicator,
    r.disease,
    r.area_id,
    r.period_start,
    r.period_end,
    r.value,
    r.target,
    -- A row of its own kind cannot be without one; the one that stands is kept below.
    coalesce(r.known_at, '-infinity') as known_at
from jsonb_populate_recordset(null::tallies, %(rows)s::jsonb) as r
on conflict (subject) do update
    set
        registers = excluded.registers,
        indicator = excluded.indicator,
        disease = excluded.disease,
        area_id = excluded.area_id,
        period_start = excluded.period_start,
        period_end = excluded.period_end,
        value = excluded.value,
        target = excluded.target,
        known_at = greatest(t.known_at, excluded.known_at);
