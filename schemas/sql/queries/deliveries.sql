-- name: deliveries
-- returns: the newest deliveries first, with what became of them
-- params: is_waiting boolean (only those that wait), most int
-- used by: streams/stores/deliveries.py

select
    ad.delivery_id,
    ad.alert_id,
    ad.recipient_id,
    ad.kind,
    ad.level,
    ad.planned_at,
    ad.due_at,
    ad.attempts,
    ad.sent_at,
    ad.dropped_at,
    (
        select da.error
        from delivery_attempts as da
        where da.delivery_id = ad.delivery_id
        order by da.attempt desc
        limit 1
    ) as last_error
from alert_deliveries as ad
where
    not %(is_waiting)s
    or (ad.sent_at is null and ad.dropped_at is null)
order by ad.planned_at desc, ad.delivery_id asc
limit %(most)s;
