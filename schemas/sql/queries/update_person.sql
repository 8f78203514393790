-- name: update_person
-- returns: one row where there is such an account
-- params: person_id uuid, name text, role text, facility text or null, area_codes text[], language text, is_disabled boolean
-- used by: services/intake/people/store.py

update people set
    name = %(name)s,
    role = %(role)s,
    facility = %(facility)s,
    area_codes = %(area_codes)s,
    language = %(language)s,
    is_disabled = %(is_disabled)s
where person_id = %(person_id)s
returning person_id;
