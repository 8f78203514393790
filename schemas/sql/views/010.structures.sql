-- One row per structure of areas: the day on which it came into force.
-- From each day to the next by the key: a handful of steps instead of every area in every structure.
create view boards.structures as
with recursive days as (
    select min(ag.structure_on) as structure_on
    from public.area_geographies as ag
    union all
    select
        (
            select min(ag.structure_on)
            from public.area_geographies as ag
            where ag.structure_on > d.structure_on
        ) as structure_on
    from days as d
    where d.structure_on is not null
)

select
    d.structure_on,
    lead(d.structure_on) over (order by d.structure_on) - 1 as last_day
from days as d
where d.structure_on is not null;
