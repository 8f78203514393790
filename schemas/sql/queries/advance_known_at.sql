-- name: advance_known_at
-- returns: nothing
-- params: known_at timestamptz
-- used by: streams/stores/catalogue.py

update stream_offsets
set last_known_at = greatest(last_known_at, %(known_at)s);
