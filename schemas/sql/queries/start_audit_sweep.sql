-- name: start_audit_sweep
-- returns: one row: the new sweep
-- params: cursors jsonb
-- used by: streams/stores/audit_rounds.py

insert into audit_sweeps (started_at, sizes, cursors)
select
    clock_timestamp() as started_at,
    jsonb_build_object(
        'cases', (select count(*) from cases),
        'identities', (select count(*) from event_ids),
        'totals', (select count(*) from diseases),
        'counts', (
            select count(*) from (select distinct
                dc.disease,
                dc.basis,
                dc.day
            from daily_counts as dc) as g
        )
    ) as sizes,
    %(cursors)s as cursors
returning sweep_id, sizes, cursors;
