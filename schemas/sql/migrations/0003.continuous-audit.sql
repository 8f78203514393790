-- The continuous audit: how far it is, and what it found.
-- Applied once, in one transaction; never edited after merge.

-- Up to where the journal's new events were looked at, one row per partition.
create table audit_positions (
    topic text collate "C" not null,
    kafka_partition int not null,
    epoch int not null,
    next_offset bigint not null,
    primary key (topic, kafka_partition)
);

-- Each sweep looks at everything once, slice by slice.
create table audit_sweeps (
    sweep_id bigint generated always as identity primary key,
    started_at timestamptz not null,
    -- Null while it is under way.
    ended_at timestamptz,
    -- How much there was at its start: {"cases", "identities", "counts", "totals"}.
    sizes jsonb not null,
    -- How far each part is: a key, null before its first slice; a part that has ended is absent.
    cursors jsonb not null
);

-- One sweep at a time.
create unique index audit_sweeps_open_idx on audit_sweeps ((ended_at is null)) where ended_at is null;

create table audit_rounds (
    -- One row: the last round.
    is_only boolean primary key default true check (is_only),
    ended_at timestamptz not null,
    seconds double precision not null,
    -- Journaled events that no round has looked at yet, as of the last one.
    waiting_events bigint not null
);

-- What drifted, seen twice; stays open until a round finds it in order again.
create table audit_findings (
    finding_id bigint generated always as identity primary key,
    kind text collate "C" not null check (kind in ('state', 'ledger', 'daily', 'totals', 'journal')),
    -- A case's subject, an identity, or the key of a count: its parts in the order of the columns.
    key jsonb not null,
    -- No data of a case: names of fields, or the counters.
    stored jsonb,
    recomputed jsonb,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    resolved_at timestamptz
);

create unique index audit_findings_open_idx on audit_findings (kind, key) where resolved_at is null;

-- The last hour of the journal, for shares, without a second tree on its busiest table: rows lie in the order
-- of known_at.
create index case_events_known_at_idx on case_events using brin (known_at) with (autosummarize = on);
create index dead_letters_known_at_idx on dead_letters (known_at);
