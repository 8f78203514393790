-- name: forget_audit_sweeps
-- returns: nothing; of the sweeps that have ended the last 100 are kept
-- params: none
-- used by: streams/stores/audit_rounds.py

delete from audit_sweeps
where
    ended_at is not null
    and sweep_id <= (
        select s.sweep_id
        from audit_sweeps as s
        order by s.sweep_id desc
        limit 1 offset 100
    );
