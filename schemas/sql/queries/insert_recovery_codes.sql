-- name: insert_recovery_codes
-- returns: nothing
-- params: person_id uuid, code_hashes bytea[]
-- used by: services/intake/people/store.py

insert into recovery_codes (person_id, code_hash)
select
    %(person_id)s as person_id,
    c.code_hash
from unnest(%(code_hashes)s::bytea[]) as c (code_hash);
