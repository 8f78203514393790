-- name: parked_reports
-- returns: every tally or focus event that waits for the catalogue, in the order of its arrival
-- params: none
-- used by: streams/stores/report_tables.py

select
    re.kind,
    re.subject,
    re.event_id,
    re.event_time,
    re.data
from parked_reports as pr
inner join report_events as re
    on
        pr.kind = re.kind
        and pr.subject = re.subject
        and pr.event_id = re.event_id
where pr.folded_at is null
order by pr.known_at, re.kafka_partition, re.epoch, re.kafka_offset;
