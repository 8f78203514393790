-- name: audit_sizes
-- returns: one row: how many events, cases, parked events
-- params: none
-- used by: streams/stores/audit.py, streams/stores/rebuild.py

select
    (select count(*) from case_events) as events,
    (select count(*) from cases) as cases,
    (select count(*) from parked_events) as parked;
