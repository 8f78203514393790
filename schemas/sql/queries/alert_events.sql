-- name: alert_events
-- returns: every event of one alert, oldest first; no row for an alert that is not there
-- params: alert_id uuid
-- used by: streams/stores/alerts.py

select
    ae.alert_id,
    ae.number,
    ae.at,
    ae.actor,
    ae.kind,
    ae.note,
    ae.verdict,
    ae.data
from alert_events as ae
where ae.alert_id = %(alert_id)s
order by ae.number;
