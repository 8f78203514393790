-- name: cases_by_other_id
-- returns: subject and registers of the cases that count in a period of days, wherever, and carry a code of another system, the latest day first
-- params: other_id text, disease text or null, first and last date, basis text (onset or report), most int, skip int
-- used by: services/intake/staff/case_book.py

-- Reads every case: an index over the registers would make every update of a case slower.
select
    c.subject,
    c.registers,
    c.counted_disease is not null as counts
from cases as c
where
    c.counted_disease is not null
    and (%(disease)s::text is null or c.counted_disease = %(disease)s)
    and (case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end)
    between %(first)s and %(last)s
    and c.registers ? 'external_ids'
    and exists (
        select 1
        from jsonb_each_text(nullif(c.registers -> 'external_ids' -> 1, 'null')) as e (system, code)
        where e.code = %(other_id)s
    )
order by
    (case when %(basis)s = 'onset' then c.counted_onset_day else c.counted_report_day end) desc,
    c.subject
limit %(most)s offset %(skip)s;
