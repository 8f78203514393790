-- One row per ISO week of report, disease and district (in its own structure of areas; '-': not known): cases
-- that count, by verdict of the deadline, by delay, and how full their forms are. Docs: indicators/delay.md.
create view boards.quality_weeks as
select
    qw.week_start,
    qw.disease,
    p.code as province,
    case a.kind when 'province' then '-' else a.code end as district,
    a.name_vi as district_name,
    qw.cases,
    qw.on_time,
    qw.on_time_by_day,
    qw.late,
    qw.no_diagnosis,
    qw.no_deadline,
    qw.delay_0_1,
    qw.delay_2_3,
    qw.delay_4_7,
    qw.delay_8_14,
    qw.delay_15_28,
    qw.delay_29_up,
    qw.delay_unknown,
    qw.known_1_week,
    qw.known_4_weeks,
    qw.complete_forms,
    qw.fields_asked,
    qw.fields_filled
from public.quality_weeks as qw
inner join public.areas as a on qw.district_id = a.area_id
inner join public.areas as p on a.province_id = p.area_id;
