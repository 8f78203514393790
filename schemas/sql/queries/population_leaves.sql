-- name: population_leaves
-- returns: every area without areas below it, of every structure, in the provinces that have areas in the one asked for; its own places, and where one structure shows it
-- params: structure_on date, province_id text or null (all)
-- used by: streams/stores/populations.py

with touched as (
    select distinct a.province_id
    from area_geographies as ag
    inner join areas as a on ag.area_id = a.area_id
    where
        ag.structure_on = %(structure_on)s
        and (%(province_id)s::text is null or ag.province_id = %(province_id)s)
)

select
    a.area_id,
    a.province_id,
    a.district_id,
    a.valid_from::text as valid_from,
    a.valid_to::text as valid_to,
    ag.province_id as shown_province_id,
    -- An island district without communes is its own only part.
    ag.district_id as shown_district_id,
    ag.commune_id as shown_commune_id,
    ag.province_doubt,
    ag.district_doubt,
    ag.commune_doubt
from areas as a
inner join area_geographies as ag
    on
        a.area_id = ag.area_id
        and ag.structure_on = %(structure_on)s
where
    a.province_id in (select t.province_id from touched as t)
    and (
        a.kind = 'commune'
        or (
            a.kind = 'district'
            and a.area_id not in (
                select inside.district_id
                from areas as inside
                where
                    inside.kind = 'commune'
                    and inside.district_id is not null
            )
        )
    );
