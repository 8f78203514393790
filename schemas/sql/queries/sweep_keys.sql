-- name: sweep_keys
-- returns: disease and area of everything that the passing of time may change: open alerts, and counts by onset or report since a day
-- params: since date
-- used by: streams/stores/alerts.py

select
    dc.disease,
    dc.area_id
from daily_counts as dc
where
    dc.basis in ('onset', 'report')
    and dc.day >= %(since)s
    and dc.notified <> 0
union
select
    a.disease,
    a.area_id
from alerts as a
where a.state in ('raised', 'acknowledged', 'verified')
order by 1, 2;
