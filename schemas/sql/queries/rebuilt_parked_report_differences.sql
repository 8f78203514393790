-- name: rebuilt_parked_report_differences
-- returns: parked events of tallies and foci that differ, as JSON; null on the side where they are not
-- params: most int
-- used by: streams/stores/rebuild.py

select
    coalesce(l.kind, r.kind) as kind,
    coalesce(l.subject, r.subject) as subject,
    coalesce(l.event_id, r.event_id) as event_id,
    to_jsonb(l) as live,
    to_jsonb(r) as rebuilt
from public.parked_reports as l
full outer join shadow.parked_reports as r
    on
        l.kind = r.kind
        and l.subject = r.subject
        and l.event_id = r.event_id
where l is distinct from r
order by 1, 2, 3
limit %(most)s;
