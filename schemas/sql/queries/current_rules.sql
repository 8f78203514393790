-- name: current_rules
-- returns: one row: load_id, version, province, content of the rules in force; none where none were loaded
-- params: none
-- used by: streams/stores/rules.py

select
    arl.load_id,
    arl.version,
    arl.province,
    arl.content
from alert_rule_loads as arl
order by arl.load_id desc
limit 1;
