-- name: recovery_codes_left
-- returns: one row: how many
-- params: person_id uuid
-- used by: services/intake/people/store.py

select count(*) as codes
from recovery_codes as rc
where rc.person_id = %(person_id)s;
