-- Deliveries: who is told of an alert, written by the transaction of the alert's own event (an outbox).
-- Applied once, in one transaction; never edited after merge.

-- Replaced as a whole by each load of the operator's file; those left out stay for the history's sake.
create table recipients (
    recipient_id text collate "C" primary key,
    is_active boolean not null,
    -- streams/domain/recipients.py says what it holds. An address that is secret is only named in it.
    document jsonb not null,
    loaded_at timestamptz not null,
    loaded_by text not null
);

create table alert_deliveries (
    -- Follows from alert, event and recipient: also the idempotency key that receivers see.
    delivery_id uuid primary key,
    alert_id uuid not null,
    number int not null,
    recipient_id text collate "C" not null references recipients (recipient_id),
    kind text collate "C" not null check (kind in ('immediate', 'digest')),
    level text collate "C" not null,
    cases int not null,
    planned_at timestamptz not null,
    due_at timestamptz not null,
    -- Not before this instant after a failed attempt.
    next_attempt_at timestamptz not null,
    attempts int not null default 0,
    -- When a receiver accepted it; null: it waits.
    sent_at timestamptz,
    -- When the recipient was no longer active: nobody is told any more.
    dropped_at timestamptz,
    foreign key (alert_id, number) references alert_events (alert_id, number) deferrable initially deferred
);

create index alert_deliveries_due_idx on alert_deliveries (next_attempt_at)
where sent_at is null and dropped_at is null;
create index alert_deliveries_alert_idx on alert_deliveries (alert_id, number);

-- Every attempt, also those that failed.
create table delivery_attempts (
    delivery_id uuid not null references alert_deliveries (delivery_id),
    attempt int not null,
    at timestamptz not null,
    -- Null: the receiver accepted it.
    error text,
    primary key (delivery_id, attempt)
);

-- When each process of the chain last did its work; the dead man's switch looks here.
create table signs_of_life (
    name text collate "C" primary key,
    at timestamptz not null
);
