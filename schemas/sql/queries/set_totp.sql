-- name: set_totp
-- returns: nothing
-- params: person_id uuid, secret text or null
-- used by: services/intake/people/store.py

update people set totp_secret = %(secret)s, totp_step = -1
where person_id = %(person_id)s;
