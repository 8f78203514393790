-- name: reporter_weeks
-- returns: one row per reporter, district and week in which it sent anything (a tally of zero included): how many events; district is null where the events name none
-- params: structure_on date, province_id and district_id text or null, disease text or null, first and last date
-- used by: streams/stores/quality.py, streams/stores/silence.py

-- A reporter is the facility that the event names, else the sender. The day is that of the report where the event
-- gives one before its own time, so that an old line list does not make its facilities busy on the day of the
-- import.
with said as (
    select
        ce.subject,
        ce.data,
        ce.source,
        ce.area_id,
        (ce.event_time at time zone 'Asia/Ho_Chi_Minh')::date as recorded_on
    from case_events as ce
    where ce.event_type in ('vn.canhdich.case.reported.v1', 'vn.canhdich.case.updated.v1')
),

active as (
    select
        coalesce(s.area_id, c.counted_area_id) as area_id,
        coalesce(s.data ->> 'disease', c.counted_disease) as disease,
        coalesce(s.data ->> 'reporting_facility', regexp_replace(s.source, '^/facilities/', '')) as reporter,
        least((s.data ->> 'reported_on')::date, s.recorded_on) as day
    from said as s
    inner join cases as c on s.subject = c.subject
    union all
    select
        re.area_id,
        re.data ->> 'disease' as disease,
        regexp_replace(re.source, '^/facilities/', '') as reporter,
        (re.event_time at time zone 'Asia/Ho_Chi_Minh')::date as day
    from report_events as re
)

select
    a.reporter,
    ag.district_id,
    date_trunc('week', a.day)::date as week_start,
    count(*)::int as events
from active as a
left join area_geographies as ag
    on
        a.area_id = ag.area_id
        and ag.structure_on = %(structure_on)s
where
    a.day between %(first)s and %(last)s
    and (%(disease)s::text is null or a.disease = %(disease)s)
    and (%(province_id)s::text is null or ag.province_id = %(province_id)s)
    and (%(district_id)s::text is null or ag.district_id = %(district_id)s)
group by 1, 2, 3
order by 1, 2, 3;
