-- name: staff_territory
-- returns: one row per area of any time: where it is shown in the structure in force on a day, as codes
-- params: today date
-- used by: services/intake/people/store.py

with structure as (
    select max(ag.structure_on) as structure_on
    from area_geographies as ag
    where ag.structure_on <= %(today)s
)

select
    a.area_id,
    coalesce(a.valid_from <= %(today)s, true) and coalesce(a.valid_to >= %(today)s, true) as is_present,
    province.code as province_code,
    district.code as district_code,
    commune.code as commune_code,
    a.name_vi as name
from structure as s
inner join area_geographies as ag on s.structure_on = ag.structure_on
inner join areas as a on ag.area_id = a.area_id
inner join areas as province on ag.province_id = province.area_id
left join areas as district on ag.district_id = district.area_id
left join areas as commune on ag.commune_id = commune.area_id;
