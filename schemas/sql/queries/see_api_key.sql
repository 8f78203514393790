-- name: see_api_key
-- returns: nothing
-- params: key_id uuid, at timestamptz
-- used by: services/intake/people/store.py

update api_keys set last_used_at = %(at)s
where key_id = %(key_id)s;
