-- name: parked_events
-- returns: every parked event, in the order of its arrival
-- params: none
-- used by: streams/stores/catalogue.py

select
    ce.subject,
    ce.event_id,
    ce.event_type,
    ce.event_time,
    ce.data
from parked_events as pe
inner join case_events as ce
    on
        pe.subject = ce.subject
        and pe.event_id = ce.event_id
order by pe.known_at, ce.kafka_partition, ce.epoch, ce.kafka_offset;
