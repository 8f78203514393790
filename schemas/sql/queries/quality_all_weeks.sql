-- name: quality_all_weeks
-- returns: the Mondays of all weeks with a report of a case that counts, and of those that have figures
-- params: none
-- used by: streams/stores/quality.py

select distinct date_trunc('week', c.counted_report_day)::date as week_start
from cases as c
where c.counted_disease is not null
union
select qw.week_start
from quality_weeks as qw
order by 1;
