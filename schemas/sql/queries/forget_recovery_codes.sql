-- name: forget_recovery_codes
-- returns: nothing
-- params: person_id uuid
-- used by: services/intake/people/store.py

delete from recovery_codes
where person_id = %(person_id)s;
