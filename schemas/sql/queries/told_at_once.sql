-- name: told_at_once
-- returns: what recipients were told at once of a disease in an area, or are about to be, since an instant
-- params: disease text, area_id text, since timestamptz
-- used by: streams/stores/deliveries.py

select
    ad.recipient_id,
    ad.level,
    ad.cases,
    ad.planned_at
from alert_deliveries as ad
inner join alerts as a on ad.alert_id = a.alert_id
where
    a.disease = %(disease)s
    and a.area_id = %(area_id)s
    and ad.kind = 'immediate'
    and ad.dropped_at is null
    and ad.planned_at >= %(since)s;
