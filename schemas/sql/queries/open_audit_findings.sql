-- name: open_audit_findings
-- returns: what drifted and is not in order again, oldest first
-- params: none
-- used by: streams/stores/audit_rounds.py

select
    af.finding_id,
    af.kind,
    af.key,
    af.stored,
    af.recomputed,
    af.first_seen_at,
    af.last_seen_at
from audit_findings as af
where af.resolved_at is null
order by af.finding_id;
