-- name: able_administrators
-- returns: the ids of the administrators who may come in
-- params: none
-- used by: services/intake/people/store.py

select p.person_id
from people as p
where p.role = 'administrator' and not p.is_disabled
order by p.person_id;
