-- One row per structure of areas, province, disease and calendar year in which a case of it was counted there:
-- the years that others are compared with. Where there is no row, nothing is known (docs/indicators/coverage.md).
-- District by district in the key of district_totals: of the whole table only what a province has is read.
create view boards.case_years as
select distinct
    ag.structure_on,
    split_part(ag.province_id, '@', 1) as province,
    counted.disease,
    counted.year
from public.area_geographies as ag
inner join public.areas as own
    on
        ag.area_id = own.area_id
        and own.kind <> 'commune'
cross join lateral (
    select distinct
        dt.disease,
        dt.year
    from public.district_totals as dt
    where
        dt.district_id = own.area_id
        and dt.basis = 'onset'
        and dt.year is not null
        and dt.notified > 0
) as counted;
