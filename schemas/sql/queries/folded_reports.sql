-- name: folded_reports
-- returns: every tally or focus event that is folded, or was by an instant, subject by subject; area_id as resolved from the event, null where it was parked when it came
-- params: kind text, as_of timestamptz or null
-- used by: streams/stores/foci.py, streams/stores/report_audit.py

select
    re.subject,
    re.event_id,
    re.event_time,
    re.data,
    re.area_id,
    coalesce(pr.folded_at, re.known_at) as folded_at
from report_events as re
left join parked_reports as pr
    on
        re.kind = pr.kind
        and re.subject = pr.subject
        and re.event_id = pr.event_id
where
    re.kind = %(kind)s
    and (pr.event_id is null or pr.folded_at is not null)
    and (%(as_of)s::timestamptz is null or coalesce(pr.folded_at, re.known_at) <= %(as_of)s)
order by re.subject, re.known_at, re.epoch, re.kafka_offset;
