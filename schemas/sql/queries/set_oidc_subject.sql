-- name: set_oidc_subject
-- returns: nothing
-- params: person_id uuid, oidc_subject text
-- used by: services/intake/people/store.py

update people set oidc_subject = %(oidc_subject)s
where person_id = %(person_id)s;
