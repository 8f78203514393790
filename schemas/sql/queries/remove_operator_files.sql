-- name: remove_operator_files
-- returns: nothing
-- params: name text
-- used by: streams/stores/catalogue.py

delete from operator_files as f
where f.name = %(name)s;
