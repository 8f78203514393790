-- name: past_area_geographies
-- returns: nothing
-- params: load_id int; writes the temporary table area_geographies
-- used by: streams/stores/catalogue.py

insert into pg_temp.area_geographies (
    structure_on,
    area_id,
    province_id,
    district_id,
    commune_id,
    province_doubt,
    district_doubt,
    commune_doubt
)
select
    p.structure_on,
    p.area_id,
    p.province_id,
    p.district_id,
    p.commune_id,
    coalesce(p.province_doubt, 0) as province_doubt,
    -- Loads of before the doubts said only whether a place is a guess.
    coalesce(p.district_doubt, p.is_approximate::int, 0) as district_doubt,
    coalesce(p.commune_doubt, 0) as commune_doubt
from catalogue_loads as cl
cross join
    lateral jsonb_to_recordset(cl.content -> 'area_geographies')
        as p (
            structure_on date,
            area_id text,
            province_id text,
            district_id text,
            commune_id text,
            province_doubt double precision,
            district_doubt double precision,
            commune_doubt double precision,
            is_approximate boolean
        )
where cl.load_id = %(load_id)s;
