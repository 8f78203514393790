-- The core: catalogue, identities, journal, cases, ledger, counts, positions, dead letters.
-- Applied once, in one transaction; never edited after merge.

create extension if not exists timescaledb;

-- Catalogue ---------------------------------------------------------------------------------------

create table catalogue_loads (
    load_id int primary key,
    version text not null,
    known_at timestamptz not null,
    loaded_by text not null,
    -- What was folded again because of this load.
    refolded_events int not null default 0,
    refolded_cases int not null default 0
);

create table diseases (
    code text collate "C" primary key,
    name_vi text not null,
    name_en text not null,
    report_label_vi text not null,
    report_order int not null,
    agents text[] not null,
    -- Agent -> disease, for syndromes; {} otherwise.
    resolves_to jsonb not null default '{}'
);

create table areas (
    area_id text collate "C" primary key,
    code text collate "C" not null,
    kind text not null check (kind in ('province', 'district', 'commune', 'surveillance')),
    name_vi text not null,
    parent_id text collate "C" references areas (area_id),
    -- Where cases are totalled: district or surveillance area; null for a province.
    district_id text collate "C" references areas (area_id),
    province_id text collate "C" not null references areas (area_id),
    valid_from date,
    valid_to date,
    latitude double precision,
    longitude double precision,
    area_km2 double precision,
    check (valid_from is null or valid_to is null or valid_from <= valid_to)
);

create index areas_code_idx on areas (code);

create table area_links (
    from_id text collate "C" not null references areas (area_id),
    to_id text collate "C" not null references areas (area_id),
    kind text not null check (kind in ('whole', 'part')),
    is_default boolean not null,
    primary key (from_id, to_id)
);

-- Every area shown in every structure of areas (the day on which a structure came into force; 0001-01-01
-- for the oldest), so that a count in another geography is one join.
create table area_geographies (
    structure_on date not null,
    area_id text collate "C" not null references areas (area_id),
    province_id text collate "C" not null references areas (area_id),
    district_id text collate "C" references areas (area_id),
    commune_id text collate "C" references areas (area_id),
    -- True where the mapping is a best guess: split communes, and anything carried backward.
    is_approximate boolean not null,
    primary key (structure_on, area_id)
);

create table case_reports_since (
    disease text collate "C" not null references diseases (code),
    province_id text collate "C" not null references areas (area_id),
    since date not null,
    primary key (disease, province_id)
);

-- Identities and journal --------------------------------------------------------------------------

-- A plain table: a hypertable's unique key would have to hold a time and let repeats in.
create table event_ids (
    event_id uuid not null,
    subject text collate "C" not null,
    content_hash bytea not null,
    primary key (event_id, subject)
);

create table case_events (
    known_at timestamptz not null,
    epoch int not null,
    kafka_partition int not null,
    kafka_offset bigint not null,
    -- The catalogue load that judged this event.
    load_id int not null,
    subject text collate "C" not null,
    event_id uuid not null,
    event_type text not null,
    event_time timestamptz not null,
    source text not null,
    data jsonb not null,
    -- The area that data.area_code meant; null where the event names none or is parked.
    area_id text collate "C",
    is_parked boolean not null
);

do $$ begin perform create_hypertable(
    'case_events', by_range('known_at', interval '180 days'), create_default_indexes => false
); end $$;
create index case_events_subject_idx on case_events (subject, known_at);
create index case_events_order_idx on case_events (kafka_partition, epoch, kafka_offset);

-- Events whose disease or area the catalogue does not know yet: journaled, listed, not counted.
create table parked_events (
    subject text collate "C" not null,
    event_id uuid not null,
    known_at timestamptz not null,
    reason text not null check (reason in ('unknown_disease', 'unknown_area')),
    code text not null,
    primary key (subject, event_id)
);

-- Cases, ledger, counts -----------------------------------------------------------------------------

create table cases (
    subject text collate "C" primary key,
    -- Field -> [stamp, value]; streams/domain/case.py says what they mean.
    registers jsonb not null,
    -- What the case adds to the counts at present; null disease = it does not count.
    counted_disease text collate "C",
    counted_area_id text collate "C",
    counted_onset_day date,
    counted_report_day date,
    counted_death_day date,
    -- One bit per counter, in the order of the columns of daily_counts.
    counted_flags smallint,
    -- agent -> disease, as text pairs 'agent=disease'
    counted_resolved text[] not null default '{}',
    counted_agents text[] not null default '{}'
) with (fillfactor = 80);

create table count_changes (
    known_at timestamptz not null,
    subject text collate "C" not null,
    -- The event that moved the count, or the catalogue load (as a UUID of its own) that did.
    event_id uuid not null,
    disease text collate "C" not null,
    area_id text collate "C" not null,
    basis text collate "C" not null,
    day date,
    via text collate "C" not null,
    agent text collate "C" not null,
    notified smallint not null,
    suspected smallint not null,
    probable smallint not null,
    confirmed smallint not null,
    discarded smallint not null,
    positive smallint not null,
    negative smallint not null,
    pending smallint not null,
    deaths smallint not null,
    imported smallint not null,
    hospitalised smallint not null
);

do $$ begin perform create_hypertable(
    'count_changes', by_range('known_at', interval '180 days'), create_default_indexes => false
); end $$;
create index count_changes_subject_idx on count_changes (subject, known_at);
create index count_changes_key_idx on count_changes (disease, basis, day);

-- Plain: as fast as a hypertable, and its key needs no time column. `day` is null where a death has none.
create table daily_counts (
    disease text collate "C" not null,
    area_id text collate "C" not null,
    basis text collate "C" not null check (basis in ('onset', 'report', 'death')),
    day date,
    -- The syndrome through which the case counts here ("of which"), else ''.
    via text collate "C" not null,
    -- '' or the agent that the counted cases are positive for.
    agent text collate "C" not null,
    notified int not null,
    suspected int not null,
    probable int not null,
    confirmed int not null,
    discarded int not null,
    positive int not null,
    negative int not null,
    pending int not null,
    deaths int not null,
    imported int not null,
    hospitalised int not null,
    constraint daily_counts_key unique nulls not distinct (disease, basis, day, area_id, via, agent)
) with (fillfactor = 70);

-- Cumulative per disease, district and year, kept by the transaction that folds.
create table district_totals (
    disease text collate "C" not null,
    via text collate "C" not null,
    -- District, surveillance area, or the province where no district is known.
    district_id text collate "C" not null,
    year smallint,
    basis text collate "C" not null check (basis in ('onset', 'report', 'death')),
    notified int not null,
    suspected int not null,
    probable int not null,
    confirmed int not null,
    discarded int not null,
    positive int not null,
    negative int not null,
    pending int not null,
    deaths int not null,
    imported int not null,
    hospitalised int not null,
    constraint district_totals_key unique nulls not distinct (disease, via, district_id, year, basis)
) with (fillfactor = 70);

-- Positions and dead letters -------------------------------------------------------------------------

create table stream_offsets (
    topic text collate "C" not null,
    kafka_partition int not null,
    -- Kafka's own id of the topic: a topic made anew under the old name has another.
    topic_id uuid not null,
    -- Grows when the partition is read again from the start.
    epoch int not null,
    -- The next offset to fold; everything before it is in the journal or in the dead letters.
    next_offset bigint not null,
    -- Everything before it has also been announced on count-changes and dead-letters.
    announced_offset bigint not null,
    last_known_at timestamptz not null,
    -- Of the record at next_offset - 1; null before the first.
    last_hash bytea,
    primary key (topic, kafka_partition)
) with (fillfactor = 10);

create table dead_letters (
    dead_letter_id bigint generated always as identity primary key,
    topic text collate "C" not null,
    epoch int not null,
    kafka_partition int not null,
    kafka_offset bigint not null,
    known_at timestamptz not null,
    error text not null,
    -- [{"field", "code", "message_vi", "message_en"}]
    problems jsonb not null,
    record_key bytea,
    -- Redacted: the values of unknown fields and everything shaped like an identifier are gone.
    record_value bytea not null,
    -- For an event id reused with other content: the version that stands.
    standing_value bytea,
    subject text,
    event_id uuid,
    retried_at timestamptz,
    unique (topic, epoch, kafka_partition, kafka_offset)
);

-- Import -----------------------------------------------------------------------------------------------

-- The last row that each source sent for each case: an equal row is not sent again.
create table import_rows (
    source text collate "C" not null,
    subject text collate "C" not null,
    -- The row's fields as last sent.
    content jsonb not null,
    event_id uuid not null,
    event_time timestamptz not null,
    -- Null until Kafka has acknowledged the event: such a row is sent again, with the same id and time.
    sent_at timestamptz,
    event jsonb not null,
    primary key (source, subject)
);
