-- name: unpublished_alert_events
-- returns: the alert events that Kafka has not acknowledged yet, oldest first, with what the topic `alerts` says of them
-- params: most int
-- used by: streams/stores/alerts.py

select
    ae.alert_id,
    ae.number,
    a.rule_id,
    a.disease,
    a.area_id,
    a.state,
    ae.kind,
    ae.at
from alert_events as ae
inner join alerts as a on ae.alert_id = a.alert_id
where ae.published_at is null
order by ae.at, ae.alert_id, ae.number
limit %(most)s;
