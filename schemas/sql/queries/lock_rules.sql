-- name: lock_rules
-- returns: nothing; one load of rules at a time, others wait until the transaction ends
-- params: none
-- used by: streams/stores/rules.py

lock table alert_rule_loads in share row exclusive mode;
