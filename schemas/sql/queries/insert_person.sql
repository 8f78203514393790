-- name: insert_person
-- returns: nothing
-- params: the columns: person_id uuid, username, name, role, facility, area_codes text[], language, password_hash, must_change_password, oidc_subject
-- used by: services/intake/people/store.py

insert into people
(
    person_id, username, name, role, facility, area_codes, language, password_hash, must_change_password,
    oidc_subject
)
values (
    %(person_id)s,
    %(username)s,
    %(name)s,
    %(role)s,
    %(facility)s,
    %(area_codes)s,
    %(language)s,
    %(password_hash)s,
    %(must_change_password)s,
    %(oidc_subject)s
);
