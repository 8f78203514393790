-- name: foci
-- returns: one row per focus, by the day on which it is counted; days as ISO text
-- params: kind, disease text or null, first and last date or null, area_ids text[]
-- used by: streams/stores/foci.py

select
    f.subject,
    f.known_at,
    f.kind,
    f.disease,
    f.area_id,
    f.day::text,
    f.place,
    f.started_on::text,
    f.ended_on::text,
    f.exposed,
    f.ill,
    f.hospitalised,
    f.dead,
    f.samples,
    f.positives,
    f.first_onset_on::text,
    f.last_onset_on::text,
    f.agent
from foci as f
where
    (%(kind)s::text is null or f.kind = %(kind)s)
    and (%(disease)s::text is null or f.disease = %(disease)s)
    and (%(first)s::date is null or f.day >= %(first)s)
    and (%(last)s::date is null or f.day <= %(last)s)
    and f.area_id = any(%(area_ids)s)
order by f.day, f.subject;
