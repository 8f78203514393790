-- name: record_attempts
-- returns: nothing
-- params: delivery_ids uuid[], at timestamptz, error text or null (it was accepted), next_attempt_at timestamptz
-- used by: streams/stores/deliveries.py

with attempted as (
    update alert_deliveries
    set
        attempts = attempts + 1,
        sent_at = case when %(error)s::text is null then %(at)s::timestamptz end,
        next_attempt_at = %(next_attempt_at)s
    where delivery_id = any(%(delivery_ids)s::uuid[])
    returning delivery_id, attempts
)

insert into delivery_attempts (delivery_id, attempt, at, error)
select
    attempted.delivery_id,
    attempted.attempts,
    %(at)s as at,
    %(error)s as error
from attempted;
