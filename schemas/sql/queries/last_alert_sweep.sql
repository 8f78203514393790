-- name: last_alert_sweep
-- returns: the last day whose sweep is done; null when there was none
-- params: none
-- used by: streams/stores/alerts.py

select max(s.swept_on) from alert_sweeps as s;
