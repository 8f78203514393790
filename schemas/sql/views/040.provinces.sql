-- One row per structure of areas and province; has_counts where any case was counted in it.
create view boards.provinces as
select
    s.structure_on,
    a.code as province,
    a.name_vi as name,
    a.latitude,
    a.longitude,
    -- The first that is found is enough; `exists` would have the planner read all of them for all provinces.
    coalesce(
        (
            select true
            from public.area_geographies as ag
            inner join public.areas as counted on ag.area_id = counted.area_id
            inner join public.district_totals as dt on counted.area_id = dt.district_id
            where
                ag.structure_on = s.structure_on
                and ag.province_id = a.area_id
                and counted.kind <> 'commune'
            order by ag.area_id
            limit 1
        ),
        false
    ) as has_counts
from boards.structures as s
inner join public.areas as a
    on
        a.kind = 'province'
        and s.structure_on >= coalesce(a.valid_from, '0001-01-01')
        and s.structure_on <= coalesce(a.valid_to, 'infinity');
