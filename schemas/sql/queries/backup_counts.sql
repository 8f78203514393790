-- name: backup_counts
-- returns: one row: how many events and cases there are
-- params: none
-- used by: streams/stores/backups.py

select
    (select count(*) from case_events) as case_events,
    (select count(*) from report_events) as report_events,
    (select count(*) from cases) as cases;
