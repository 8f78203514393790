-- name: detector_diseases
-- returns: diseases with a case by onset in a period, or with an open alert of a detector
-- params: since date, until date, rule_prefix text
-- used by: streams/stores/detector_series.py

select dc.disease
from daily_counts as dc
where
    dc.basis = 'onset'
    and dc.agent = ''
    and dc.day between %(since)s and %(until)s
    and dc.notified > dc.discarded
union
select a.disease
from alerts as a
where
    a.state in ('raised', 'acknowledged', 'verified')
    and starts_with(a.rule_id, %(rule_prefix)s)
order by disease;
