-- name: try_lock_audit
-- returns: one row: whether no other session held the lock
-- params: none
-- used by: streams/stores/audit_rounds.py

-- 7_303 is this system's advisory lock for rounds of the audit.
select pg_try_advisory_lock(7303) as is_locked;
