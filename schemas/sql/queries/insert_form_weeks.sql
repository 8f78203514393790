-- name: insert_form_weeks
-- returns: nothing
-- params: rows, a JSON array of objects with the columns of form_weeks
-- used by: streams/stores/quality.py

insert into form_weeks (week_start, district_id, field, asked, filled)
select
    r.week_start,
    r.district_id,
    r.field,
    r.asked,
    r.filled
from jsonb_populate_recordset(null::form_weeks, %(rows)s::jsonb) as r;
