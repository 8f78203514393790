-- name: claim_report_ids
-- returns: the identities that were not known before
-- params: arrays of equal length: subjects text[], event_ids uuid[], content_hashes bytea[]
-- used by: streams/stores/reports.py

insert into event_ids (subject, event_id, content_hash)
select
    e.subject,
    e.event_id,
    e.content_hash
from
    unnest(%(subjects)s::text[], %(event_ids)s::uuid[], %(content_hashes)s::bytea[])
        as e (subject, event_id, content_hash)
on conflict do nothing
returning subject, event_id;
