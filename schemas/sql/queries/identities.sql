-- name: identities
-- returns: one row per known identity among those asked
-- params: arrays of equal length: subjects text[], event_ids uuid[]
-- used by: services/intake/database.py, services/report/stamp.py, streams/stores/imports.py, streams/stores/ledger.py, streams/stores/reports.py

select
    ei.subject,
    ei.event_id,
    ei.content_hash
from unnest(%(subjects)s::text[], %(event_ids)s::uuid[]) as e (subject, event_id)
inner join event_ids as ei on e.subject = ei.subject and e.event_id = ei.event_id;
