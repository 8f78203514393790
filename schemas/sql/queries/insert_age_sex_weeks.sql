-- name: insert_age_sex_weeks
-- returns: nothing
-- params: rows, a JSON array of objects with the columns of age_sex_weeks
-- used by: streams/stores/quality.py

insert into age_sex_weeks (disease, district_id, week_start, age_band, sex, cases)
select
    r.disease,
    r.district_id,
    r.week_start,
    r.age_band,
    r.sex,
    r.cases
from jsonb_populate_recordset(null::age_sex_weeks, %(rows)s::jsonb) as r;
