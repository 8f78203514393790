-- name: detector_reconstructed
-- returns: communes and districts of the structure of a day whose history is a sum of several old communes, or partly a guess
-- params: on_day date
-- used by: streams/stores/detector_series.py

with places as (
    select
        ag.area_id,
        ag.district_id,
        ag.commune_id,
        ag.district_doubt,
        ag.commune_doubt
    from area_geographies as ag
    where
        ag.structure_on = (
            select max(inner_ag.structure_on)
            from area_geographies as inner_ag
            where inner_ag.structure_on <= %(on_day)s
        )
)

select p.commune_id as area_id
from places as p
where p.commune_id is not null
group by p.commune_id
having
    count(*) filter (where p.area_id <> p.commune_id) > 1
    or bool_or(p.commune_doubt > 0)
union
select p.district_id as area_id
from places as p
where p.district_id is not null
group by p.district_id
having bool_or(p.district_doubt > 0);
