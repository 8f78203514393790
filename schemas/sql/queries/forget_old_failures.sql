-- name: forget_old_failures
-- returns: nothing
-- params: at timestamptz: the failures of a day before and earlier
-- used by: services/intake/people/store.py

delete from sign_in_failures
where at < %(at)s::timestamptz - interval '1 day';
