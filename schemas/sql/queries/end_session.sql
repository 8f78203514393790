-- name: end_session
-- returns: nothing
-- params: token_hash bytea
-- used by: services/intake/people/store.py

delete from staff_sessions
where token_hash = %(token_hash)s;
