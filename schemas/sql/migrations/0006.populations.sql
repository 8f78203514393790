-- Populations of areas, and keys in the order in which counts are read: by area.
-- Applied once, in one transaction; never edited after merge.

-- Populations ---------------------------------------------------------------------------------------

-- Each load is the whole truth: the figures of the package, and those of the operator's file that stand before
-- them.
-- Earlier loads stay, so that what was published can be counted again.
create table population_loads (
    population_load_id int primary key,
    loaded_at timestamptz not null default clock_timestamp(),
    loaded_by text not null,
    -- Hash of the package's file.
    packaged_version text not null,
    -- The operator's file; null where there is none.
    file_name text,
    file_sha256 bytea,
    check ((file_name is null) = (file_sha256 is null))
);

create table populations (
    population_load_id int not null references population_loads (population_load_id),
    area_id text collate "C" not null references areas (area_id),
    -- The population in the middle of this year.
    year smallint not null check (year between 1990 and 2100),
    population int not null check (population > 0),
    source text not null check (source <> ''),
    is_packaged boolean not null,
    primary key (population_load_id, area_id, year, is_packaged)
);

-- Reading counts ------------------------------------------------------------------------------------

-- Counts are read for the areas of a province and some days: in the old order of the columns that meant every
-- row of those days.
alter table daily_counts drop constraint daily_counts_key;
alter table daily_counts add constraint daily_counts_key
unique nulls not distinct (area_id, basis, agent, day, disease, via);

alter table district_totals drop constraint district_totals_key;
alter table district_totals add constraint district_totals_key
unique nulls not distinct (district_id, basis, year, disease, via);

create index area_geographies_province_idx on area_geographies (province_id, structure_on);
create index areas_province_idx on areas (province_id, kind);
-- How many areas a district has, as district_totals adds them up.
create index areas_own_district_idx on areas (coalesce(district_id, province_id));
