-- name: unpark_events
-- returns: nothing
-- params: arrays of equal length: subjects text[], event_ids uuid[]
-- used by: streams/stores/catalogue.py

delete from parked_events as pe
using unnest(%(subjects)s::text[], %(event_ids)s::uuid[]) as e (subject, event_id)
where
    pe.subject = e.subject
    and pe.event_id = e.event_id;
