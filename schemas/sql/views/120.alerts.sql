-- One row per structure of areas and alert: what, where, when, how many; never a case.
-- `observed`, `expected` and `threshold` are null where the rule has no such number: it may count areas or days. Of
-- a disease of group A the law counts confirmed cases.
create view boards.alerts as
select
    ag.structure_on,
    split_part(ag.province_id, '@', 1) as province,
    coalesce(split_part(ag.district_id, '@', 1), '-') as district,
    ar.code as area,
    ar.name_vi as area_name,
    al.alert_id,
    al.rule_id as rule,
    al.disease,
    di.name_vi as disease_vi,
    di.name_en as disease_en,
    al.state,
    al.state in ('raised', 'acknowledged', 'verified') as is_open,
    al.level,
    array_position(array['none', 'attention', 'alert', 'above_band', 'outbreak'], al.level) - 1 as level_rank,
    al.is_met,
    al.cases,
    al.period_start,
    al.period_end,
    al.raised_at,
    al.waiting_since,
    al.changed_at,
    al.settled_at,
    al.verdict ->> 'why_vi' as why_vi,
    al.verdict ->> 'why_en' as why_en,
    coalesce(
        al.verdict -> 'numbers' ->> 'cases',
        al.verdict -> 'numbers' ->> 'confirmed',
        al.verdict -> 'numbers' ->> 'deaths'
    )::double precision as observed,
    coalesce(al.verdict -> 'numbers' ->> 'mean', al.verdict -> 'numbers' ->> 'expected')::double precision
        as expected,
    (al.verdict -> 'numbers' ->> 'upperbound')::double precision as threshold
from public.alerts as al
inner join public.diseases as di on al.disease = di.code
inner join public.areas as ar on al.area_id = ar.area_id
inner join public.area_geographies as ag on al.area_id = ag.area_id;
