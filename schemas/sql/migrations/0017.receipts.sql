-- What became of an event, asked by its id: event_ids begins with it, dead letters did not have it.
-- Applied once, in one transaction; never edited after merge.

create index dead_letters_event_idx on dead_letters (event_id);
