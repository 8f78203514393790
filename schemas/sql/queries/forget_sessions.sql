-- name: forget_sessions
-- returns: nothing
-- params: at timestamptz: those that had expired by then
-- used by: services/intake/people/store.py

delete from staff_sessions
where expires_at <= %(at)s;
