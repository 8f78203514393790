-- name: staff_session
-- returns: one row: a session; none where there is none with that token
-- params: token_hash bytea
-- used by: services/intake/people/store.py

select
    ss.person_id,
    ss.is_waiting_for_code,
    ss.created_at,
    ss.last_seen_at,
    ss.expires_at
from staff_sessions as ss
where ss.token_hash = %(token_hash)s;
