-- name: alerts
-- returns: alerts, those that wait and the loudest first, then the newest; with the names of disease and area
-- params: is_open boolean (only open ones), disease text or null, area_id text or null (an area, or all within a district or province), most int; after_state text, after_level text, after_raised_at timestamptz, after_alert_id uuid, all or none null (only those further down than an alert like this)
-- used by: streams/stores/alerts.py

select
    a.alert_id,
    a.rule_id,
    a.disease,
    d.name_vi as disease_name,
    a.area_id,
    ar.code as area_code,
    ar.name_vi as area_name,
    a.state,
    a.level,
    a.is_met,
    a.cases,
    a.period_start,
    a.period_end,
    a.raised_at,
    a.changed_at,
    a.settled_at,
    a.determined_at,
    a.determined_at + interval '24 hours' as notice_due_at,
    a.ended_at,
    a.end_proposed_at,
    a.escalated_at,
    a.verdict
from alerts as a
inner join areas as ar on a.area_id = ar.area_id
inner join diseases as d on a.disease = d.code
where
    (not %(is_open)s or a.state in ('raised', 'acknowledged', 'verified'))
    and (%(disease)s::text is null or a.disease = %(disease)s)
    and (
        %(area_id)s::text is null
        or a.area_id = %(area_id)s
        or ar.district_id = %(area_id)s
        or ar.province_id = %(area_id)s
    )
    and (
        %(after_alert_id)s::uuid is null
        -- As the rows are ordered below.
        or (
            a.state != 'raised',
            array_position(array['outbreak', 'above_band', 'alert', 'attention', 'none'], a.level),
            -extract(epoch from a.raised_at),
            a.alert_id
        ) > (
            %(after_state)s::text != 'raised',
            array_position(
                array['outbreak', 'above_band', 'alert', 'attention', 'none'], %(after_level)s::text
            ),
            -extract(epoch from %(after_raised_at)s::timestamptz),
            %(after_alert_id)s::uuid
        )
    )
order by
    a.state = 'raised' desc,
    array_position(array['outbreak', 'above_band', 'alert', 'attention', 'none'], a.level) asc,
    a.raised_at desc,
    a.alert_id asc
limit %(most)s;
