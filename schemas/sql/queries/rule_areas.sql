-- name: rule_areas
-- returns: for each area asked about the one in which it is shown in the structure in force on a day (itself, where it was valid then), with the ids of all areas shown in it; none where it is unknown
-- params: area_ids text[], day date
-- used by: streams/stores/area_cases.py, streams/stores/rule_history.py

with structure as (
    select max(ag.structure_on) as structure_on
    from area_geographies as ag
    where ag.structure_on <= %(day)s
),

shown as (
    select
        ag.area_id as asked_id,
        ag.structure_on,
        case
            when
                (a.valid_from is null or a.valid_from <= %(day)s)
                and (a.valid_to is null or a.valid_to >= %(day)s)
                then a.area_id
            when a.kind = 'commune' then ag.commune_id
            when a.kind = 'province' then ag.province_id
            else ag.district_id
        end as area_id
    from structure as s
    inner join area_geographies as ag on s.structure_on = ag.structure_on
    inner join areas as a on ag.area_id = a.area_id
    where ag.area_id = any(%(area_ids)s::text[])
)

select
    sh.asked_id,
    a.area_id,
    a.kind,
    a.name_vi,
    a.province_id,
    a.district_id,
    sh.structure_on,
    array(
        select ag.area_id
        from area_geographies as ag
        where
            ag.province_id = a.province_id
            and ag.structure_on = sh.structure_on
            and case a.kind
                when 'commune' then ag.commune_id
                when 'province' then ag.province_id
                else ag.district_id
            end = a.area_id
        order by ag.area_id
    ) as member_ids,
    exists(
        select 1
        from area_geographies as ag
        where
            ag.province_id = a.province_id
            and ag.structure_on = sh.structure_on
            and ag.commune_id = a.area_id
            and ag.commune_doubt > 0
    ) as is_approximate
from shown as sh
inner join areas as a on sh.area_id = a.area_id;
