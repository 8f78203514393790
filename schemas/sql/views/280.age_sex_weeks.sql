-- One row per ISO week of report, disease, district (in its own structure of areas; '-': not known), band of ages
-- and sex: how many cases that count. For epidemiologists only: counts are not suppressed.
create view boards.age_sex_weeks as
select
    aw.week_start,
    aw.disease,
    p.code as province,
    case a.kind when 'province' then '-' else a.code end as district,
    aw.age_band,
    aw.sex,
    aw.cases
from public.age_sex_weeks as aw
inner join public.areas as a on aw.district_id = a.area_id
inner join public.areas as p on a.province_id = p.area_id;
