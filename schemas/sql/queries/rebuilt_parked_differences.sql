-- name: rebuilt_parked_differences
-- returns: parked events that differ: why they are parked; null on the side where they are not
-- params: most int
-- used by: streams/stores/rebuild.py

select
    coalesce(l.subject, r.subject) as subject,
    coalesce(l.event_id, r.event_id) as event_id,
    coalesce(l.known_at, r.known_at) as known_at,
    l.reason || ' ' || l.code as live,
    r.reason || ' ' || r.code as rebuilt
from public.parked_events as l
full outer join shadow.parked_events as r
    on
        l.subject = r.subject
        and l.event_id = r.event_id
where (l.known_at, l.reason, l.code) is distinct from (r.known_at, r.reason, r.code)
order by 1, 2
limit %(most)s;
