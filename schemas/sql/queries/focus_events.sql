-- name: focus_events
-- returns: the events of one focus that are folded, or were by an instant; area_id as resolved from the event, null where it was parked when it came
-- params: subject text, as_of timestamptz or null
-- used by: streams/stores/focus_report.py

select
    re.event_id,
    re.event_time,
    re.data,
    re.area_id
from report_events as re
left join parked_reports as pr
    on
        re.kind = pr.kind
        and re.subject = pr.subject
        and re.event_id = pr.event_id
where
    re.kind = 'focus'
    and re.subject = %(subject)s
    and (pr.event_id is null or pr.folded_at is not null)
    and (%(as_of)s::timestamptz is null or coalesce(pr.folded_at, re.known_at) <= %(as_of)s)
order by re.known_at, re.epoch, re.kafka_offset;
