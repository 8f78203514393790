-- name: alert_key
-- returns: disease and area of one alert; no row for an alert that is not there
-- params: alert_id uuid
-- used by: streams/stores/alerts.py

select
    a.disease,
    a.area_id
from alerts as a
where a.alert_id = %(alert_id)s;
