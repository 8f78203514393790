-- name: rule_reports_since
-- returns: one row: from which day the cases of a disease count in a province; null for always
-- params: disease text, province_id text
-- used by: streams/stores/rule_history.py

select max(crs.since) as since
from case_reports_since as crs
where
    crs.disease = %(disease)s
    and crs.province_id = %(province_id)s;
