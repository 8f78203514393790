-- One row per ISO week of report, district and field of the case form: of how many cases it is asked, and how
-- many have it. Docs: indicators/completeness.md.
create view boards.form_weeks as
select
    fw.week_start,
    p.code as province,
    case a.kind when 'province' then '-' else a.code end as district,
    fw.field,
    fw.asked,
    fw.filled
from public.form_weeks as fw
inner join public.areas as a on fw.district_id = a.area_id
inner join public.areas as p on a.province_id = p.area_id;
