-- name: cases_by_subject
-- returns: subject and registers of the cases whose code begins with a text, by code
-- params: prefix text (a pattern), area_codes text[] or null, disease text or null, most int, skip int
-- used by: services/intake/staff/case_book.py

with shown_in as (
    select max(ag.structure_on) as structure_on
    from area_geographies as ag
    where ag.structure_on <= now()
),

own as (
    select ag.area_id
    from area_geographies as ag
    inner join shown_in as si on ag.structure_on = si.structure_on
    where
        split_part(ag.province_id, '@', 1) = any(%(area_codes)s::text[])
        or split_part(ag.district_id, '@', 1) = any(%(area_codes)s::text[])
        or split_part(ag.commune_id, '@', 1) = any(%(area_codes)s::text[])
)

select
    c.subject,
    c.registers,
    c.counted_disease is not null as counts
from cases as c
where
    c.subject like %(prefix)s
    and (%(disease)s::text is null or c.registers -> 'disease' ->> 1 = %(disease)s)
    and (
        %(area_codes)s::text[] is null
        or c.registers -> 'area_id' ->> 1 in (select o.area_id from own as o)
    )
order by c.subject
limit %(most)s offset %(skip)s;
