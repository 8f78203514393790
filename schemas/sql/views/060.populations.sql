-- One row per structure of areas, province or district, and year: the population in the middle of the year.
-- `district` is '' for the province as a whole.
create view boards.populations as
select
    bp.structure_on,
    p.code as province,
    case when a.kind = 'province' then '' else a.code end as district,
    bp.year,
    bp.population
from public.areas as a
inner join public.areas as p on a.province_id = p.area_id
inner join public.board_populations as bp on a.area_id = bp.area_id;
