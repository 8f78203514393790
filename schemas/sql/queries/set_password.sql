-- name: set_password
-- returns: nothing
-- params: person_id uuid, password_hash text, must_change boolean or null to leave it
-- used by: services/intake/people/store.py

update people set
    password_hash = %(password_hash)s,
    must_change_password = coalesce(%(must_change)s::boolean, must_change_password)
where person_id = %(person_id)s;
