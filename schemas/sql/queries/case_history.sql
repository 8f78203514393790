-- name: case_history
-- returns: the journaled events of a case, in the order of their arrival
-- params: subject text
-- used by: streams/stores/cases.py

select
    ce.event_id,
    ce.event_type,
    ce.event_time,
    ce.known_at,
    ce.source,
    ce.data,
    ce.area_id,
    pe.reason as parked_reason
from case_events as ce
left join parked_events as pe
    on
        ce.subject = pe.subject
        and ce.event_id = pe.event_id
where ce.subject = %(subject)s
order by ce.known_at, ce.epoch, ce.kafka_offset;
