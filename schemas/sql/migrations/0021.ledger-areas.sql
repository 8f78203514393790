-- The ledger's rows of a day can be found by their area: on an epidemic's peak day a disease has tens of thousands
-- of cases, and the rules ask for those of one commune.
-- Applied once, in one transaction; never edited after merge.

drop index count_changes_key_idx;
create index count_changes_key_idx on count_changes (disease, basis, day, area_id);
