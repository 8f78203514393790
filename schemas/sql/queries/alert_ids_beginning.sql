-- name: alert_ids_beginning
-- returns: the ids of the alerts that begin with a text, the newest first, two at most: more than one is too many
-- params: beginning text
-- used by: streams/stores/alerts.py

select a.alert_id
from alerts as a
where starts_with(a.alert_id::text, %(beginning)s)
order by a.raised_at desc
limit 2;
