-- name: newest_canaries
-- returns: of each subject the last event that was journaled and folded; subjects without one are absent
-- params: subjects text[]
-- used by: streams/stores/health.py

-- Journal and case are of one transaction; the case is what the fold has written.
with folded as (
    select c.subject
    from cases as c
    where c.subject = any(%(subjects)s)
)

select
    f.subject,
    newest.event_id,
    newest.event_time
from folded as f
cross join lateral (
    select
        ce.event_id,
        ce.event_time
    from case_events as ce
    where ce.subject = f.subject
    order by ce.known_at desc
    limit 1
) as newest;
