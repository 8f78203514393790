-- name: subjects_of_diseases
-- returns: the subjects of all cases of some diseases, in key order
-- params: diseases text[]
-- used by: streams/stores/catalogue.py

select c.subject
from cases as c
where c.registers -> 'disease' ->> 1 = any(%(diseases)s)
order by c.subject;
