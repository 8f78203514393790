-- name: forget_quality_weeks
-- returns: nothing
-- params: weeks date[] (Mondays)
-- used by: streams/stores/quality.py

with forms as (
    delete from form_weeks as fw
    where fw.week_start = any(%(weeks)s)
),

people as (
    delete from age_sex_weeks as aw
    where aw.week_start = any(%(weeks)s)
)

delete from quality_weeks as qw
where qw.week_start = any(%(weeks)s);
