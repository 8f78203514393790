-- One row per Monday and reporter judged on it, the day alone: without places the last one is found by the key.
create view boards.judged_days as
select rw.judged_on
from public.reporter_weeks as rw;
