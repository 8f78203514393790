-- name: quality_cases
-- returns: one row per case that counts and was reported in one of some weeks: its disease, district (else province), week, times as case_times gives them, and its registers
-- params: weeks date[] (Mondays), first and last date (of their days)
-- used by: streams/stores/quality.py

select
    c.counted_disease as disease,
    coalesce(a.district_id, case when a.kind = 'commune' then a.province_id else a.area_id end)
        as district_id,
    date_trunc('week', c.counted_report_day)::date as week_start,
    (c.registers -> 'onset_on' ->> 1)::date as onset,
    c.counted_report_day as reported,
    c.registers -> 'diagnosed_at' ->> 1 as diagnosed,
    reported.event_time as recorded_at,
    reported.known_at,
    c.registers
from cases as c
inner join areas as a on c.counted_area_id = a.area_id
left join lateral (
    select
        ce.event_time,
        ce.known_at
    from case_events as ce
    where
        ce.subject = c.subject
        and ce.event_type = 'vn.canhdich.case.reported.v1'
    order by ce.known_at
    limit 1
) as reported on true
where
    c.counted_disease is not null
    and c.counted_report_day between %(first)s and %(last)s
    and date_trunc('week', c.counted_report_day)::date = any(%(weeks)s)
order by week_start, disease, district_id;
