-- Alert rules: what was in force and when, and the outbreaks that people declared.
-- Applied once, in one transaction; never edited after merge.

create table alert_rule_loads (
    load_id int primary key,
    -- Of the content; every verdict names it.
    version text not null,
    known_at timestamptz not null default clock_timestamp(),
    loaded_by text not null,
    -- The province's own file as it was given; null for the package's thresholds.
    province text,
    -- All rules, settings and what they must know of diseases: the rule book.
    content jsonb not null
);

-- A notice "có dịch" of a commune: entered by a person, never by the system. Its year is left out of the
-- five years that later counts are compared with.
create table outbreak_notices (
    disease text collate "C" not null references diseases (code),
    area_id text collate "C" not null references areas (area_id),
    year int not null check (year between 1990 and 2100),
    -- Null where only the year is known.
    started_on date,
    -- The notice "hết dịch"; null: still open, or not known.
    ended_on date,
    source text not null check (source <> ''),
    entered_at timestamptz not null default clock_timestamp(),
    entered_by text not null,
    constraint outbreak_notices_key unique nulls not distinct (disease, area_id, year, started_on),
    check (started_on is null or extract(year from started_on) = year),
    check (ended_on is null or ended_on >= started_on)
);
