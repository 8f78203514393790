-- name: insert_rules
-- returns: nothing
-- params: load_id int, version text, loaded_by text, province text or null, content jsonb
-- used by: streams/stores/rules.py

insert into alert_rule_loads (load_id, version, loaded_by, province, content)
values (%(load_id)s, %(version)s, %(loaded_by)s, %(province)s, %(content)s);
