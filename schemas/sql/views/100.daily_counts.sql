-- One row per structure of areas, area, disease, basis, day and syndrome with every counter.
-- `syndrome` is the one through which the case counts in this disease, too ("of which"); a total over diseases
-- takes the rows where it is empty. `day` is null for a death without a day.
-- An area's code is what stands before the @ of its id (streams/domain/areas.py): no join for it, and the planner
-- knows by area_geographies_code_idx and area_geographies_places how many areas a province has.
-- Nothing is grouped here, so that every condition of a panel reaches the key of public.daily_counts.
create view boards.daily_counts as
select
    ag.structure_on,
    split_part(ag.province_id, '@', 1) as province,
    coalesce(split_part(ag.district_id, '@', 1), '-') as district,
    coalesce(split_part(ag.commune_id, '@', 1), '-') as commune,
    dc.disease,
    dc.basis,
    dc.day,
    dc.via as syndrome,
    dc.notified,
    dc.suspected,
    dc.probable,
    dc.confirmed,
    dc.discarded,
    dc.positive,
    dc.negative,
    dc.pending,
    dc.deaths,
    dc.imported,
    dc.hospitalised
from public.area_geographies as ag
inner join public.daily_counts as dc on ag.area_id = dc.area_id
where dc.agent = '';
