-- One row per structure of areas, province, disease and calendar year in which a case of it was counted there:
-- the years that others are compared with. Where there is no row, nothing is known (docs/indicators/coverage.md).
create view boards.case_years as
select distinct
    ag.structure_on,
    p.code as province,
    dt.disease,
    dt.year
from public.area_geographies as ag
inner join public.areas as p on ag.province_id = p.area_id
inner join public.district_totals as dt on ag.area_id = dt.district_id
where
    dt.basis = 'onset'
    and dt.year is not null
    and dt.notified > 0;
