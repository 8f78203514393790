-- name: detector_standing
-- returns: areas with an open alert of a detector about a disease
-- params: disease text, rule_prefix text
-- used by: streams/stores/detector_series.py

select distinct a.area_id
from alerts as a
where
    a.disease = %(disease)s
    and a.state in ('raised', 'acknowledged', 'verified')
    and starts_with(a.rule_id, %(rule_prefix)s);
