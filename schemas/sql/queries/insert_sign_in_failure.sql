-- name: insert_sign_in_failure
-- returns: nothing
-- params: account_hash bytea, address text, at timestamptz
-- used by: services/intake/people/store.py

insert into sign_in_failures (account_hash, address, at)
values (%(account_hash)s, %(address)s, %(at)s);
