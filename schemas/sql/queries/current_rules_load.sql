-- name: current_rules_load
-- returns: one row: the load_id of the rules in force; null where none were loaded
-- params: none
-- used by: streams/stores/rules.py

select max(arl.load_id) as load_id
from alert_rule_loads as arl;
