-- name: insert_quality_weeks
-- returns: nothing
-- params: rows, a JSON array of objects with the columns of quality_weeks
-- used by: streams/stores/quality.py

insert into quality_weeks (
    week_start, disease, district_id, cases, on_time, on_time_by_day, late, no_diagnosis, no_deadline,
    delay_0_1, delay_2_3, delay_4_7, delay_8_14, delay_15_28, delay_29_up, delay_unknown, known_1_week,
    known_4_weeks, complete_forms, fields_asked, fields_filled
)
select
    r.week_start,
    r.disease,
    r.district_id,
    r.cases,
    r.on_time,
    r.on_time_by_day,
    r.late,
    r.no_diagnosis,
    r.no_deadline,
    r.delay_0_1,
    r.delay_2_3,
    r.delay_4_7,
    r.delay_8_14,
    r.delay_15_28,
    r.delay_29_up,
    r.delay_unknown,
    r.known_1_week,
    r.known_4_weeks,
    r.complete_forms,
    r.fields_asked,
    r.fields_filled
from jsonb_populate_recordset(null::quality_weeks, %(rows)s::jsonb) as r;
