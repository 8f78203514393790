-- name: insert_api_key
-- returns: nothing
-- params: the columns: key_id uuid, key_hash bytea, name, role, facility, area_codes text[], endpoints text[] or null, expires_at, created_at, created_by
-- used by: services/intake/people/store.py

insert into api_keys
(key_id, key_hash, name, role, facility, area_codes, endpoints, expires_at, created_at, created_by)
values (
    %(key_id)s,
    %(key_hash)s,
    %(name)s,
    %(role)s,
    %(facility)s,
    %(area_codes)s,
    %(endpoints)s,
    %(expires_at)s,
    %(created_at)s,
    %(created_by)s
);
