-- Tallies and foci: their journal, their state, and the signed ledger of their figures.
-- Applied once, in one transaction; never edited after merge.

-- The journal: every valid event of both topics. Identities stand in event_ids, with those of the cases.
create table report_events (
    known_at timestamptz not null,
    epoch int not null,
    kafka_partition int not null,
    kafka_offset bigint not null,
    -- The catalogue load that judged this event.
    load_id int not null,
    kind text collate "C" not null check (kind in ('tally', 'focus')),
    subject text collate "C" not null,
    event_id uuid not null,
    event_time timestamptz not null,
    source text not null,
    data jsonb not null,
    -- The area that data.area_code meant; null where the event is parked.
    area_id text collate "C",
    is_parked boolean not null
);

do $$ begin perform create_hypertable(
    'report_events', by_range('known_at', interval '365 days'), create_default_indexes => false
); end $$;
create index report_events_subject_idx on report_events (kind, subject, known_at);
create index report_events_order_idx on report_events (kind, kafka_partition, epoch, kafka_offset);

-- Events whose disease or area the catalogue did not know when they came: journaled, listed, not counted.
create table parked_reports (
    kind text collate "C" not null check (kind in ('tally', 'focus')),
    subject text collate "C" not null,
    event_id uuid not null,
    known_at timestamptz not null,
    reason text not null check (reason in ('unknown_disease', 'unknown_area')),
    code text not null,
    -- known_at of the catalogue load that folded it; null as long as it waits.
    folded_at timestamptz,
    primary key (kind, subject, event_id)
);

create table tallies (
    subject text collate "C" primary key,
    -- Field -> [stamp, value]; streams/domain/reports.py says what they mean.
    registers jsonb not null,
    -- What the registers give, and what stands in the ledger.
    indicator text collate "C" not null,
    disease text collate "C" not null,
    area_id text collate "C" not null,
    period_start date not null,
    period_end date not null,
    value bigint not null,
    target bigint,
    -- When the present value became known.
    known_at timestamptz not null
);

create index tallies_figure_idx on tallies (indicator, disease, period_start);

create table foci (
    subject text collate "C" primary key,
    registers jsonb not null,
    kind text collate "C" not null check (kind in ('outbreak', 'food_poisoning')),
    disease text collate "C" not null,
    area_id text collate "C" not null,
    -- The day on which it is counted: it began, else its first onset, else its first report.
    day date not null,
    place text,
    started_on date,
    ended_on date,
    -- Null is unknown, which is not zero.
    exposed int,
    ill int,
    hospitalised int,
    dead int,
    samples int,
    positives int,
    first_onset_on date,
    last_onset_on date,
    agent text,
    known_at timestamptz not null
);

create index foci_day_idx on foci (disease, day);

-- The ledger: signed rows per event. A focus has a row for itself ("foci") and one for each number that is
-- known, on the day on which it is counted.
create table figure_changes (
    known_at timestamptz not null,
    subject text collate "C" not null,
    event_id uuid not null,
    kind text collate "C" not null check (kind in ('tally', 'outbreak', 'food_poisoning')),
    indicator text collate "C" not null,
    disease text collate "C" not null,
    area_id text collate "C" not null,
    period_start date not null,
    period_end date not null,
    -- Summed: 1 where the figure is reported (also a zero), 0 where it is not.
    reported smallint not null,
    value bigint not null,
    targeted smallint not null,
    target bigint not null,
    epoch int,
    kafka_partition int,
    kafka_offset bigint,
    -- The catalogue load that folded a parked event; null where the event was folded when it came.
    load_id int,
    constraint figure_changes_origin check ((kafka_offset is null) = (load_id is not null)),
    constraint figure_changes_place check (num_nulls(epoch, kafka_partition, kafka_offset) in (0, 3))
);

do $$ begin perform create_hypertable(
    'figure_changes', by_range('known_at', interval '365 days'), create_default_indexes => false
); end $$;
create index figure_changes_subject_idx on figure_changes (subject, known_at);
create index figure_changes_key_idx on figure_changes (kind, indicator, disease, period_start);
