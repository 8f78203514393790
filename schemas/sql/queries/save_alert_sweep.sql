-- name: save_alert_sweep
-- returns: nothing; a day that is swept again keeps its first row
-- params: swept_on date, judged int
-- used by: streams/stores/alerts.py

insert into alert_sweeps (swept_on, finished_at, judged)
values (%(swept_on)s, now(), %(judged)s)
on conflict (swept_on) do nothing;
