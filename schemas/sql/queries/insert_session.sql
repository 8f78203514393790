-- name: insert_session
-- returns: nothing
-- params: token_hash bytea, person_id uuid, is_waiting_for_code boolean, at timestamptz, expires_at timestamptz
-- used by: services/intake/people/store.py

insert into staff_sessions
(token_hash, person_id, is_waiting_for_code, created_at, last_seen_at, expires_at)
values (%(token_hash)s, %(person_id)s, %(is_waiting_for_code)s, %(at)s, %(at)s, %(expires_at)s);
