-- name: insert_report_events
-- returns: nothing
-- params: rows, a JSON array of objects with the columns of report_events
-- used by: streams/stores/reports.py

insert into report_events (
    known_at,
    epoch,
    kafka_partition,
    kafka_offset,
    load_id,
    kind,
    subject,
    event_id,
    event_time,
    source,
    data,
    area_id,
    is_parked
)
select
    r.known_at,
    r.epoch,
    r.kafka_partition,
    r.kafka_offset,
    r.load_id,
    r.kind,
    r.subject,
    r.event_id,
    r.event_time,
    r.source,
    r.data,
    r.area_id,
    r.is_parked
from jsonb_populate_recordset(null::report_events, %(rows)s::jsonb) as r;
