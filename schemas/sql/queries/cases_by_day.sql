-- name: cases_by_day
-- returns: subject and registers of the cases that count in a period of days, wherever, the latest day first
-- params: disease text or null, first and last date, basis text (onset or report), most int, skip int
-- used by: services/intake/staff/case_book.py

-- The ledger's index finds who ever stood on those days; where they stand now says the case itself.
with asked as (
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
    and (case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end)
    between %(first)s and %(last)s
order by
    (case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end) desc,
    c.subject
limit %(most)s offset %(skip)s;
