-- The history of a case names who sent each of its events from the pages: found in the trail by the case.
-- Applied once, in one transaction; never edited after merge.

create index staff_actions_case_idx on staff_actions (target)
where action = 'case-sent';
