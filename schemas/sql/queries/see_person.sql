-- name: see_person
-- returns: nothing
-- params: person_id uuid, at timestamptz
-- used by: services/intake/people/store.py

update people set last_seen_at = %(at)s
where person_id = %(person_id)s;
