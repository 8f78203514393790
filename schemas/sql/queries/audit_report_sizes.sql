-- name: audit_report_sizes
-- returns: one row: how many events of tallies and foci, and how many of them wait for the catalogue
-- params: none
-- used by: streams/stores/report_audit.py

select
    (select count(*) from report_events) as events,
    (
        select count(*)
        from parked_reports as pr
        where pr.folded_at is null
    ) as parked;
