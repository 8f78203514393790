-- name: may_make_temporary
-- returns: one row: whether a role may make temporary tables in this database
-- params: role text
-- used by: streams/stores/views.py

select has_database_privilege(%(role)s::name, current_database(), 'temporary') as is_allowed;
