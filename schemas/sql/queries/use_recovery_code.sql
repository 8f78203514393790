-- name: use_recovery_code
-- returns: one row where there was such a code
-- params: person_id uuid, code_hash bytea
-- used by: services/intake/people/store.py

delete from recovery_codes
where person_id = %(person_id)s and code_hash = %(code_hash)s
returning person_id;
