-- name: resolve_audit_findings
-- returns: nothing
-- params: finding_ids bigint[]
-- used by: streams/stores/audit_rounds.py

update audit_findings
set resolved_at = clock_timestamp()
where finding_id = any(%(finding_ids)s);
