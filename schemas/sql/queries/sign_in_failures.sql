-- name: sign_in_failures
-- returns: one row: how many sign-ins have failed and when the last one did, for an account and from an address
-- params: account_hash bytea, address text, since timestamptz
-- used by: services/intake/people/store.py

select
    count(*) filter (where sif.account_hash = %(account_hash)s) as of_account,
    max(sif.at) filter (where sif.account_hash = %(account_hash)s) as of_account_at,
    count(*) filter (where sif.address = %(address)s) as of_address,
    max(sif.at) filter (where sif.address = %(address)s) as of_address_at
from sign_in_failures as sif
where (sif.account_hash = %(account_hash)s or sif.address = %(address)s) and sif.at >= %(since)s;
