-- name: open_audit_kinds
-- returns: how many findings of each kind are open; kinds without one are absent
-- params: none
-- used by: streams/stores/health.py

select
    af.kind,
    count(*) as number
from audit_findings as af
where af.resolved_at is null
group by af.kind;
