-- name: unlock_audit
-- returns: one row
-- params: none
-- used by: streams/stores/audit_rounds.py

select pg_advisory_unlock(7303);
