-- One row per structure of areas and district (or surveillance area); '-' stands for cases whose district is
-- not known. `district_area_id` is not shown to people: it joins populations.
create view boards.districts as
select
    s.structure_on,
    p.code as province,
    a.code as district,
    a.name_vi as name,
    a.latitude,
    a.longitude
from boards.structures as s
inner join public.areas as a
    on
        a.kind in ('district', 'surveillance')
        and s.structure_on >= coalesce(a.valid_from, '0001-01-01')
        and s.structure_on <= coalesce(a.valid_to, 'infinity')
inner join public.areas as p on a.province_id = p.area_id
union all
select
    p.structure_on,
    p.province,
    '-' as district,
    'Không rõ huyện' as name,
    null as latitude,
    null as longitude
from boards.provinces as p;
