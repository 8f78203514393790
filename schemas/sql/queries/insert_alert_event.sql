-- name: insert_alert_event
-- returns: nothing; an event of a number that is taken is an error
-- params: alert_id uuid, number int, at timestamptz, actor text, kind text, note text or null, verdict and data as JSON text (verdict or null)
-- used by: streams/stores/alerts.py

insert into alert_events (
    alert_id,
    number,
    at,
    actor,
    kind,
    note,
    verdict,
    data
)
values (
    %(alert_id)s,
    %(number)s,
    %(at)s,
    %(actor)s,
    %(kind)s,
    %(note)s,
    %(verdict)s,
    %(data)s
);
