-- name: save_audit_sweep
-- returns: nothing; a sweep with no part left has ended
-- params: sweep_id bigint, cursors jsonb
-- used by: streams/stores/audit_rounds.py

update audit_sweeps
set
    cursors = %(cursors)s,
    ended_at = case when %(cursors)s = '{}'::jsonb then clock_timestamp() end
where sweep_id = %(sweep_id)s;
