-- name: api_keys
-- returns: one row per key that fits, the newest first
-- params: key_hash bytea or null for all
-- used by: services/intake/people/store.py

select
    ak.key_id,
    ak.key_hash,
    ak.name,
    ak.role,
    ak.facility,
    ak.area_codes,
    ak.endpoints,
    ak.expires_at,
    ak.created_at,
    ak.created_by,
    ak.revoked_at,
    ak.last_used_at
from api_keys as ak
where %(key_hash)s::bytea is null or ak.key_hash = %(key_hash)s
order by ak.created_at desc, ak.key_id asc;
