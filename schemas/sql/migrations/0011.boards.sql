-- What the boards show beside counts and no query can work out: populations of every year, and nowcasts.
-- Derived: made again by programs (streams/stores/boards.py), never read by anything that counts.
-- Applied once, in one transaction; never edited after merge.

create table board_populations (
    -- The structure of areas in which the area is shown.
    structure_on date not null,
    area_id text collate "C" not null,
    -- The population in the middle of this year.
    year smallint not null,
    population double precision not null check (population > 0),
    primary key (area_id, structure_on, year)
);

-- From what the populations above were made: an equal version need not be made again.
create table board_versions (
    name text collate "C" primary key,
    version text not null,
    made_at timestamptz not null default clock_timestamp()
);

create table board_nowcasts (
    -- As a code in the structure in force.
    province text collate "C" not null,
    disease text collate "C" not null references diseases (code),
    week_start date not null,
    counted int not null,
    -- Null where the delays could not be estimated.
    nowcast double precision,
    lower int,
    upper int,
    computed_at timestamptz not null,
    primary key (province, disease, week_start)
);

-- Boards add up cases and deaths of many areas over a year: found in the key alone they lie together, in the
-- table they lie where the days of their arrival put them.
create index daily_counts_boards_idx on daily_counts (area_id, basis, day)
include (disease, via, notified, deaths)
where agent = '';

-- ... and list the alerts of a province.
create index alerts_area_idx on alerts (area_id, raised_at);

-- Grafana's variables are text: the alert that is looked at, and its steps.
create index alerts_text_idx on alerts ((alert_id::text));
create index alert_events_text_idx on alert_events ((alert_id::text));
