-- name: audit_sweep
-- returns: the sweep that is under way, if there is one
-- params: none
-- used by: streams/stores/audit_rounds.py

select
    s.sweep_id,
    s.sizes,
    s.cursors
from audit_sweeps as s
where s.ended_at is null;
