-- One row per Monday and reporter that used to report by the week, as it was judged on that day; facilities,
-- no persons. Docs: indicators/silence.md.
create view boards.reporter_weeks as
select
    rw.judged_on,
    rw.reporter,
    coalesce(p.code, '-') as province,
    coalesce(a.code, '-') as district,
    a.name_vi as district_name,
    rw.state,
    rw.last_active,
    rw.silent_weeks,
    rw.longest_gap
from public.reporter_weeks as rw
left join public.areas as a on rw.district_id = a.area_id
left join public.areas as p on a.province_id = p.area_id;
