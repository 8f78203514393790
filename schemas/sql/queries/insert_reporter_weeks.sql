-- name: insert_reporter_weeks
-- returns: nothing
-- params: rows, a JSON array of objects with the columns of reporter_weeks; a Monday that was judged is judged anew
-- used by: streams/stores/quality.py

insert into reporter_weeks (
    judged_on, reporter, district_id, state, last_active, silent_weeks, longest_gap
)
select
    r.judged_on,
    r.reporter,
    r.district_id,
    r.state,
    r.last_active,
    r.silent_weeks,
    r.longest_gap
from jsonb_populate_recordset(null::reporter_weeks, %(rows)s::jsonb) as r
on conflict (judged_on, reporter) do update
    set
        district_id = excluded.district_id,
        state = excluded.state,
        last_active = excluded.last_active,
        silent_weeks = excluded.silent_weeks,
        longest_gap = excluded.longest_gap;
