-- name: end_sessions_of
-- returns: nothing
-- params: person_id uuid, keep bytea or null: the session that goes on
-- used by: services/intake/people/store.py

delete from staff_sessions
where person_id = %(person_id)s and token_hash is distinct from %(keep)s::bytea;
