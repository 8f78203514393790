-- name: structures
-- returns: the days on which a structure of areas came into force, oldest first
-- params: none
-- used by: streams/stores/counts.py

-- From each day to the next by the key: a handful of steps instead of every area in every structure.
with recursive days as (
    select min(ag.structure_on) as structure_on
    from area_geographies as ag
    union all
    select
        (
            select min(ag.structure_on)
            from area_geographies as ag
            where ag.structure_on > d.structure_on
        ) as structure_on
    from days as d
    where d.structure_on is not null
)

select d.structure_on
from days as d
where d.structure_on is not null
order by d.structure_on;
