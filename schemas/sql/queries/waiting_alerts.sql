-- name: waiting_alerts
-- returns: the alerts that nobody has acknowledged since an instant and that were not escalated yet
-- params: since timestamptz
-- used by: streams/stores/alerts.py

select
    a.alert_id,
    a.disease,
    a.area_id
from alerts as a
where
    a.state = 'raised'
    and a.escalated_at is null
    and a.waiting_since <= %(since)s
order by a.waiting_since;
