-- name: report_alerts
-- returns: every event by an instant of the alerts of a province that were raised, or judged a period, from a day on; alert by alert, the oldest first
-- params: structure_on date, province_id text, first date, as_of timestamptz or null
-- used by: streams/stores/situation.py

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
inner join area_geographies as ag
    on
        a.area_id = ag.area_id
        and ag.structure_on = %(structure_on)s
where
    ag.province_id = %(province_id)s
    and (a.raised_at >= %(first)s or a.period_end >= %(first)s)
    and (%(as_of)s::timestamptz is null or ae.at <= %(as_of)s)
order by a.raised_at, a.alert_id, ae.number;
