-- Alerts: what the rules raised, every step of its life, and how far time has been judged.
-- Applied once, in one transaction; never edited after merge.

-- The state of an alert, kept by the transaction that writes its events; all of it follows from them.
create table alerts (
    alert_id uuid primary key,
    rule_id text collate "C" not null,
    disease text collate "C" not null,
    area_id text collate "C" not null references areas (area_id),
    state text collate "C" not null check (
        state in ('raised', 'acknowledged', 'verified', 'dismissed', 'closed')
    ),
    level text collate "C" not null check (level in ('none', 'attention', 'alert', 'above_band', 'outbreak')),
    -- The last verdict that was met: numbers, reasons, version of the rules.
    verdict jsonb not null,
    is_met boolean not null,
    cases int not null,
    period_start date,
    period_end date,
    raised_at timestamptz not null,
    -- Since when it waits to be acknowledged.
    waiting_since timestamptz not null,
    changed_at timestamptz not null,
    events int not null,
    settled_at timestamptz,
    determined_at timestamptz,
    ended_at timestamptz,
    end_proposed_at timestamptz,
    escalated_at timestamptz
) with (fillfactor = 80);

-- Of a rule, disease and area at most one is open: a new case joins it.
create unique index alerts_open_key on alerts (rule_id, disease, area_id)
where state in ('raised', 'acknowledged', 'verified');
create index alerts_key_idx on alerts (disease, area_id, rule_id, raised_at);
create index alerts_raised_at_idx on alerts (raised_at);

create table alert_events (
    alert_id uuid not null references alerts (alert_id) deferrable initially deferred,
    -- From 1 within the alert.
    number int not null check (number > 0),
    at timestamptz not null,
    -- An account, or 'system'.
    actor text not null check (actor <> ''),
    kind text collate "C" not null,
    note text,
    -- What the rule answered, for events that a judgement made.
    verdict jsonb,
    data jsonb not null,
    -- On the topic `alerts`; null until Kafka has acknowledged it.
    published_at timestamptz,
    primary key (alert_id, number)
);

create index alert_events_unpublished_idx on alert_events (at) where published_at is null;
create index alert_events_at_idx on alert_events (at);

-- The passing of time is judged, too: the local days whose sweep is done.
create table alert_sweeps (
    swept_on date primary key,
    finished_at timestamptz not null,
    judged int not null
);
