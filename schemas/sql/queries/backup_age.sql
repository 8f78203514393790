-- name: backup_age
-- returns: one row: seconds since the newest backup was made, or since the first catalogue was loaded where none was
-- params: none
-- used by: streams/stores/backups.py

select
    extract(epoch from clock_timestamp() - coalesce(
        (select max(b.made_at) from backups as b),
        (select min(cl.known_at) from catalogue_loads as cl)
    ))::double precision as age_seconds,
    exists(select from backups) as is_made;
