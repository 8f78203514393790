-- name: case_state
-- returns: one row: the registers of a case; none where it is unknown
-- params: subject text
-- used by: streams/stores/cases.py

select
    c.registers,
    c.counted_disease is not null as is_counted
from cases as c
where c.subject = %(subject)s;
