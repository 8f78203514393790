-- name: forget_failures
-- returns: nothing
-- params: account_hash bytea
-- used by: services/intake/people/store.py

delete from sign_in_failures
where account_hash = %(account_hash)s;
