-- Indexes for what is asked most.
-- Applied once, in one transaction; never edited after merge.

-- On an epidemic's peak day a disease has tens of thousands of cases, and the rules ask for those of one commune.
drop index count_changes_key_idx;
create index count_changes_key_idx on count_changes (disease, basis, day, area_id);

-- Boards show a year of some districts.
create index reporter_weeks_district_idx on reporter_weeks (district_id, judged_on);
