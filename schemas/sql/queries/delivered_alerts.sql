-- name: delivered_alerts
-- returns: what a message says of each alert: the alert, its event, names of disease and area, rule and citation
-- params: arrays of equal length: alert_ids uuid[], numbers int[]
-- used by: streams/stores/deliveries.py

select
    a.alert_id,
    a.rule_id,
    a.disease,
    d.name_vi as disease_vi,
    d.name_en as disease_en,
    a.area_id,
    ar.code as area_code,
    ar.name_vi as area_name,
    district.name_vi as district_name,
    province.name_vi as province_name,
    a.state,
    a.level,
    a.is_met,
    a.cases,
    a.raised_at,
    a.determined_at,
    ae.kind,
    ae.at,
    ae.actor,
    ae.note,
    coalesce(ae.verdict, a.verdict) as verdict,
    rule.content ->> 'citation' as citation,
    rule.content ->> 'name_vi' as rule_vi,
    rule.content ->> 'name_en' as rule_en
from
    unnest(%(alert_ids)s::uuid[], %(numbers)s::int[]) as asked (alert_id, number)
inner join alerts as a on asked.alert_id = a.alert_id
inner join alert_events as ae on asked.alert_id = ae.alert_id and asked.number = ae.number
inner join diseases as d on a.disease = d.code
inner join areas as ar on a.area_id = ar.area_id
inner join areas as province on ar.province_id = province.area_id
left join areas as district on ar.district_id = district.area_id and ar.district_id <> ar.area_id
left join lateral (
    select entry.content
    from alert_rule_loads as arl
    cross join jsonb_array_elements(arl.content -> 'rules') as entry (content)
    where
        arl.version = a.verdict ->> 'rule_version'
        and entry.content ->> 'id' = coalesce(ae.verdict, a.verdict) ->> 'rule'
    order by arl.load_id desc
    limit 1
) as rule on true
order by
    array_position(array['outbreak', 'above_band', 'alert', 'attention', 'none'], a.level) asc,
    ae.at asc,
    a.alert_id asc;
