-- name: cases_by_subject
-- returns: subject and registers of the cases whose code begins with a text, by code
-- params: prefix and imported text (patterns: as it stands, and behind what imports put before a code), area_ids text[] or null, disease text or null, most int, skip int
-- used by: services/intake/staff/case_book.py

select
    c.subject,
    c.registers,
    c.counted_disease is not null as counts
from cases as c
where
    (c.subject like %(prefix)s or c.subject like %(imported)s)
    and (%(disease)s::text is null or c.registers -> 'disease' ->> 1 = %(disease)s)
    and (%(area_ids)s::text[] is null or c.registers -> 'area_id' ->> 1 = any(%(area_ids)s))
order by c.subject
limit %(most)s offset %(skip)s;
