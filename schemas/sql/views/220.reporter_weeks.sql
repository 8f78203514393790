-- One row per Monday and reporter that used to report by the week, as it was judged on that day; facilities,
-- no persons. Where no district is known both codes are '-'. Docs: indicators/silence.md.
-- Apart, so that a province's weeks are found by its districts.
create view boards.reporter_weeks as
select
    rw.judged_on,
    rw.reporter,
    p.code as province,
    a.code as district,
    a.name_vi as district_name,
    rw.state,
    rw.last_active,
    rw.silent_weeks,
    rw.longest_gap
from public.reporter_weeks as rw
inner join public.areas as a on rw.district_id = a.area_id
inner join public.areas as p on a.province_id = p.area_id
union all
select
    rw.judged_on,
    rw.reporter,
    '-'::text collate "C" as province,
    '-'::text collate "C" as district,
    null::text as district_name,
    rw.state,
    rw.last_active,
    rw.silent_weeks,
    rw.longest_gap
from public.reporter_weeks as rw
where rw.district_id is null;
