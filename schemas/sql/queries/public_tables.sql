-- name: public_tables
-- returns: how many tables the schema public has, of whatever owner
-- params: none
-- used by: streams/stores/backups.py

select count(*) as number_of_tables
from pg_class as pc
where
    pc.relnamespace = 'public'::regnamespace
    and pc.relkind in ('r', 'p');
