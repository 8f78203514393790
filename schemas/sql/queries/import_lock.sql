-- name: import_lock
-- returns: one row: whether this connection now holds the source's lock
-- params: source text
-- used by: streams/stores/imports.py

-- 7_302 is this system's advisory lock for imports; two of one source would compare with each other's rows.
select pg_try_advisory_lock(7302, hashtext(%(source)s)) as is_locked;
