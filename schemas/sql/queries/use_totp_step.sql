-- name: use_totp_step
-- returns: one row where neither the step nor a later one was used before
-- params: person_id uuid, step bigint
-- used by: services/intake/people/store.py

update people set totp_step = %(step)s
where person_id = %(person_id)s and totp_step < %(step)s
returning person_id;
