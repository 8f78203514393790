-- name: insert_delivery
-- returns: nothing; a delivery that is planned already stays as it is
-- params: delivery_id uuid, alert_id uuid, number int, recipient_id text, kind text, level text, cases int, planned_at and due_at timestamptz
-- used by: streams/stores/deliveries.py

insert into alert_deliveries (
    delivery_id,
    alert_id,
    number,
    recipient_id,
    kind,
    level,
    cases,
    planned_at,
    due_at,
    next_attempt_at
)
values (
    %(delivery_id)s,
    %(alert_id)s,
    %(number)s,
    %(recipient_id)s,
    %(kind)s,
    %(level)s,
    %(cases)s,
    %(planned_at)s,
    %(due_at)s,
    %(due_at)s
)
on conflict (delivery_id) do nothing;
