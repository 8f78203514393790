-- name: told_at_once
-- returns: disease, area, and what recipients were told at once of them, or are about to be, since an instant
-- params: of equal length: diseases text[], area_ids text[]; since timestamptz
-- used by: streams/stores/deliveries.py

select
    a.disease,
    a.area_id,
    ad.recipient_id,
    ad.level,
    ad.cases,
    ad.planned_at
from unnest(%(diseases)s::text[], %(area_ids)s::text[]) as k (disease, area_id)
inner join alerts as a on k.disease = a.disease and k.area_id = a.area_id
inner join alert_deliveries as ad on a.alert_id = ad.alert_id
where
    ad.kind = 'immediate'
    and ad.dropped_at is null
    and ad.planned_at >= %(since)s;
