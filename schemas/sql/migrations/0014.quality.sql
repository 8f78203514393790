-- How well cases are reported, and how the stream went: figures for boards, computed by the domain's law.
-- Applied once, in one transaction; never edited after merge.

-- Up to where the journal's events are in the figures below, one row per partition.
create table quality_positions (
    topic text collate "C" not null,
    kafka_partition int not null,
    epoch int not null,
    next_offset bigint not null,
    -- The catalogue in force then: deadlines and forms are its.
    load_id int not null,
    primary key (topic, kafka_partition)
);

-- Cases that count, by the week (its Monday) of their report.
create table quality_weeks (
    week_start date not null,
    disease text collate "C" not null,
    -- District or surveillance area, or the province where no district is known.
    district_id text collate "C" not null,
    cases int not null,
    -- Verdicts of the deadline; on_time holds on_time_by_day, whose hours nobody knows.
    on_time int not null,
    on_time_by_day int not null,
    late int not null,
    no_diagnosis int not null,
    no_deadline int not null,
    -- Days from onset to report.
    delay_0_1 int not null,
    delay_2_3 int not null,
    delay_4_7 int not null,
    delay_8_14 int not null,
    delay_15_28 int not null,
    delay_29_up int not null,
    -- No day of onset, or a report before it.
    delay_unknown int not null,
    -- Of them, those whose first report the system knew so soon after the end of the week.
    known_1_week int not null,
    known_4_weeks int not null,
    complete_forms int not null,
    fields_asked int not null,
    fields_filled int not null,
    primary key (week_start, disease, district_id)
);

-- The same cases, field by field of their forms.
create table form_weeks (
    week_start date not null,
    district_id text collate "C" not null,
    field text collate "C" not null,
    asked int not null,
    filled int not null,
    primary key (week_start, district_id, field)
);

-- Every reporter as it was judged at the end of each week; those that report too seldom to tell are left out.
create table reporter_weeks (
    -- The Monday after the week.
    judged_on date not null,
    reporter text collate "C" not null,
    -- Where most of its events belong; null where none says.
    district_id text collate "C",
    state text collate "C" not null check (state in ('reporting', 'silent')),
    last_active date not null,
    silent_weeks int not null,
    longest_gap int not null,
    primary key (judged_on, reporter)
);

-- What the monitor saw of the stream, minute by minute, for thirty days.
create table stream_looks (
    at timestamptz primary key,
    -- Null while Kafka does not say how long its log is.
    lag_records bigint,
    -- Null before the first record.
    newest_age_seconds double precision,
    dead_share double precision not null,
    dead_open bigint not null,
    parked bigint not null,
    findings bigint not null,
    -- Null before the first round of the audit.
    audit_age_seconds double precision
);
