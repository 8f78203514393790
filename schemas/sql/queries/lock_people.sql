-- name: lock_people
-- returns: nothing
-- params: none; others may read accounts until the transaction ends
-- used by: services/intake/people/store.py

lock table people in share row exclusive mode;
