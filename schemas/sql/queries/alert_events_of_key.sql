-- name: alert_events_of_key
-- returns: every event of every alert of a disease and area, alert by alert, oldest first
-- params: disease text, area_id text
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
from alerts as a
inner join alert_events as ae on a.alert_id = ae.alert_id
where
    a.disease = %(disease)s
    and a.area_id = %(area_id)s
order by a.raised_at, a.alert_id, ae.number;
