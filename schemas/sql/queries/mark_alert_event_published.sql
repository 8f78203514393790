-- name: mark_alert_event_published
-- returns: nothing
-- params: alert_id uuid, number int
-- used by: streams/stores/alerts.py

update alert_events
set published_at = now()
where
    alert_id = %(alert_id)s
    and number = %(number)s;
