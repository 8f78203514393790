-- name: report_places
-- returns: one row per area that is shown in the province or district asked for, with where it lies of its own and where it is shown; none where no area has that code in that structure
-- params: geography_on date, province and district text or null (codes in that structure)
-- used by: streams/stores/places.py

with structure as (
    select max(ag.structure_on) as structure_on
    from area_geographies as ag
    where ag.structure_on <= %(geography_on)s
)

select
    a.area_id,
    a.kind,
    a.name_vi,
    case
        when a.kind = 'commune' then coalesce(a.district_id, a.province_id)
        when a.kind <> 'province' then a.province_id
    end as parent_id,
    a.province_id as own_province_id,
    a.valid_from,
    a.valid_to,
    ag.province_id,
    ag.district_id,
    ag.commune_id,
    p.name_vi as province_name,
    d.name_vi as district_name,
    c.name_vi as commune_name,
    ag.province_doubt,
    ag.district_doubt,
    ag.commune_doubt
from structure as s
inner join area_geographies as ag on s.structure_on = ag.structure_on
inner join areas as a on ag.area_id = a.area_id
inner join areas as p on ag.province_id = p.area_id
left join areas as d on ag.district_id = d.area_id
left join areas as c on ag.commune_id = c.area_id
where
    (%(province)s::text is null or p.code = %(province)s)
    and (%(district)s::text is null or d.code = %(district)s)
order by a.area_id;
