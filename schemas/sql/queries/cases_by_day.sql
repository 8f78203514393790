-- name: cases_by_day
-- returns: subject and registers of the cases that count in a period of days, the latest day first
-- params: area_codes text[] or null, disease text or null, other_id text or null, first and last date, basis text (onset or report), most int, skip int
-- used by: services/intake/staff/case_book.py

-- The ledger's index finds who ever stood on those days; where they stand now says the case itself.
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
),

asked as (
    select d.code
    from diseases as d
    where %(disease)s::text is null or d.code = %(disease)s
),

touched as (
    select distinct cc.subject
    from asked as a
    inner join count_changes as cc on a.code = cc.disease
    where
        cc.basis = %(basis)s
        and cc.agent = ''
        and cc.via = ''
        and cc.day between %(first)s and %(last)s
)

select
    c.subject,
    c.registers,
    c.counted_disease is not null as counts
from touched as t
inner join cases as c on t.subject = c.subject
where
    c.counted_disease is not null
    and (%(disease)s::text is null or c.counted_disease = %(disease)s)
    and (%(area_codes)s::text[] is null or c.counted_area_id in (select o.area_id from own as o))
    and (case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end)
    between %(first)s and %(last)s
    and (
        %(other_id)s::text is null
        or exists (
            select 1
            from jsonb_each_text(nullif(c.registers -> 'external_ids' -> 1, 'null')) as e (system, code)
            where e.code = %(other_id)s
        )
    )
order by
    (case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end) desc,
    c.subject
limit %(most)s offset %(skip)s;
