-- name: lock_counts_shared
-- returns: nothing; waits while a rebuild switches the tables
-- params: none
-- used by: streams/stores/counts.py

lock table cases, count_changes, daily_counts, district_totals, tallies, foci, figure_changes, parked_reports
in access share mode;
