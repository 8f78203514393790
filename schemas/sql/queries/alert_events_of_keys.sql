-- name: alert_events_of_keys
-- returns: every event of every alert of some diseases and areas, alert by alert, oldest first
-- params: of equal length: diseases text[], area_ids text[]
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
from unnest(%(diseases)s::text[], %(area_ids)s::text[]) as k (disease, area_id)
inner join alerts as a on k.disease = a.disease and k.area_id = a.area_id
inner join alert_events as ae on a.alert_id = ae.alert_id
order by a.raised_at, a.alert_id, ae.number;
