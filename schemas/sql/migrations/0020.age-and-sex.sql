-- Cases by age and sex, for boards: computed beside the figures of quality, by the same law. And what the planner
-- must know of areas to read a province's counts in one go.
-- Applied once, in one transaction; never edited after merge.

-- Cases that count, by the week (its Monday) of their report; their sum over ages and sexes is quality_weeks.cases.
create table age_sex_weeks (
    disease text collate "C" not null,
    -- District or surveillance area, or the province where no district is known.
    district_id text collate "C" not null,
    week_start date not null,
    -- streams/domain/quality.py AGE_BANDS.
    age_band text collate "C" not null,
    sex text collate "C" not null check (sex in ('male', 'female', 'unknown')),
    cases int not null,
    primary key (disease, district_id, week_start, age_band, sex)
);

-- Whole weeks are taken out and written anew.
create index age_sex_weeks_week_idx on age_sex_weeks (week_start);

-- Weeks that stand already get theirs: nothing is known as up to date any more.
delete from quality_positions;

-- Boards name provinces and districts by their codes. Without figures of the expressions the planner takes a
-- province for a single area, and sorts tens of thousands of rows that it could add up as they come.
create index area_geographies_code_idx on area_geographies (split_part(province_id, '@', 1), structure_on);
create statistics area_geographies_places (dependencies)
on (split_part(province_id, '@', 1)), (coalesce(split_part(district_id, '@', 1), '-')), structure_on
from area_geographies;
analyze area_geographies;

-- Boards show a year of some districts.
create index quality_weeks_district_idx on quality_weeks (district_id, week_start);
create index form_weeks_district_idx on form_weeks (district_id, week_start);
