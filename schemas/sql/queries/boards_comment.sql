-- name: boards_comment
-- returns: one row with the comment of a schema ('' where it has none); none where there is no such schema
-- params: schema text
-- used by: streams/stores/views.py

select coalesce(obj_description(n.oid, 'pg_namespace'), '') as said
from pg_namespace as n
where n.nspname = %(schema)s;
