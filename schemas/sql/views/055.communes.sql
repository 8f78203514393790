-- One row per structure of areas and commune.
create view boards.communes as
select
    s.structure_on,
    p.code as province,
    coalesce(d.code, '-') as district,
    a.code as commune,
    a.name_vi as name,
    a.latitude,
    a.longitude
from boards.structures as s
inner join public.areas as a
    on
        a.kind = 'commune'
        and s.structure_on >= coalesce(a.valid_from, '0001-01-01')
        and s.structure_on <= coalesce(a.valid_to, 'infinity')
inner join public.areas as p on a.province_id = p.area_id
left join public.areas as d on a.district_id = d.area_id;
