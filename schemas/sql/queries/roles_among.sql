-- name: roles_among
-- returns: those of some roles that the server has
-- params: roles text[]
-- used by: streams/stores/rights.py, streams/stores/views.py

select r.rolname
from pg_roles as r
where r.rolname = any(%(roles)s);
