-- name: views_of_schema
-- returns: the names of the views of a schema
-- params: schema text
-- used by: streams/stores/views.py

select v.viewname
from pg_views as v
where v.schemaname = %(schema)s
order by v.viewname;
