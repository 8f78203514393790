-- name: cases_by_area
-- returns: subject and registers of the cases that count in some areas and a period of days, the latest day first
-- params: area_ids text[], disease text or null, other_id text or null, first and last date, basis text (onset or report), most int, skip int
-- used by: services/intake/staff/case_book.py

-- The counts say on which days there is a case at all: of many years only the latest few are looked at.
with days as (
    select
        dc.disease,
        dc.area_id,
        dc.day
    from daily_counts as dc
    where
        dc.area_id = any(%(area_ids)s::text[])
        and dc.basis = %(basis)s
        and dc.day between %(first)s and %(last)s
        and dc.agent = ''
        and dc.via = ''
        and dc.notified > 0
        and (%(disease)s::text is null or dc.disease = %(disease)s)
)

select
    c.subject,
    c.registers,
    c.counted_disease is not null as counts
from days as d
cross join
    lateral (
        select distinct cc.subject
        from count_changes as cc
        where
            cc.disease = d.disease
            and cc.basis = %(basis)s
            and cc.day = d.day
            and cc.area_id = d.area_id
            and cc.agent = ''
            and cc.via = ''
    ) as t
inner join cases as c on t.subject = c.subject
where
    c.counted_disease = d.disease
    and c.counted_area_id = d.area_id
    and (case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end) = d.day
    and (
        %(other_id)s::text is null
        or exists (
            select 1
            from jsonb_each_text(nullif(c.registers -> 'external_ids' -> 1, 'null')) as e (system, code)
            where e.code = %(other_id)s
        )
    )
order by d.day desc, c.subject asc
limit %(most)s offset %(skip)s;
