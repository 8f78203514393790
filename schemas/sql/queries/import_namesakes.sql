-- name: import_namesakes
-- returns: subject and disease of the cases that count, among some subjects
-- params: subjects text[]
-- used by: streams/stores/imports.py

select
    c.subject,
    c.counted_disease as disease
from cases as c
where
    c.subject = any(%(subjects)s)
    and c.counted_disease is not null;
