-- name: revoke_api_key
-- returns: one row where there was such a key in force
-- params: key_id uuid, at timestamptz
-- used by: services/intake/people/store.py

update api_keys set revoked_at = %(at)s
where key_id = %(key_id)s and revoked_at is null
returning key_id;
