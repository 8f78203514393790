-- name: claim_staged_ids
-- returns: the identities that were not known before
-- params: none; reads the temporary table staged_ids
-- used by: streams/stores/ledger.py

insert into event_ids (subject, event_id, content_hash)
select
    s.subject,
    s.event_id,
    s.content_hash
from staged_ids as s
on conflict do nothing
returning subject, event_id;
