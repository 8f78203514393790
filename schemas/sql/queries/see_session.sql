-- name: see_session
-- returns: nothing
-- params: token_hash bytea, at timestamptz
-- used by: services/intake/people/store.py

with seen as (
    update staff_sessions set last_seen_at = %(at)s
    where token_hash = %(token_hash)s and last_seen_at < %(at)s
    returning person_id
)

update people set last_seen_at = %(at)s
where person_id in (select s.person_id from seen as s);
