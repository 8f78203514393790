-- name: claim_deliveries
-- returns: all that is due for one recipient (its document beside each row) and of one kind, the longest waiting first, locked until the end of the transaction; no row where nothing is due
-- params: at timestamptz, most int
-- used by: streams/stores/deliveries.py

with first_due as (
    select
        ad.recipient_id,
        ad.kind
    from alert_deliveries as ad
    where
        ad.sent_at is null
        and ad.dropped_at is null
        and ad.next_attempt_at <= %(at)s
    order by ad.next_attempt_at, ad.delivery_id
    limit 1
    for update of ad skip locked
)

select
    ad.delivery_id,
    ad.alert_id,
    ad.number,
    ad.kind,
    ad.attempts,
    r.document as recipient
from alert_deliveries as ad
inner join first_due as fd on ad.recipient_id = fd.recipient_id and ad.kind = fd.kind
inner join recipients as r on ad.recipient_id = r.recipient_id
where
    ad.sent_at is null
    and ad.dropped_at is null
    and ad.next_attempt_at <= %(at)s
order by ad.planned_at, ad.delivery_id
limit %(most)s
for update of ad skip locked;
