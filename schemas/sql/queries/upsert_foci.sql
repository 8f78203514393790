-- name: upsert_foci
-- returns: nothing
-- params: rows, a JSON array of objects with the columns of foci; known_at null where the focus is as it was
-- used by: streams/stores/report_tables.py

insert into foci as f (
    subject,
    registers,
    kind,
    disease,
    area_id,
    day,
    place,
    started_on,
    ended_on,
    exposed,
    ill,
    hospitalised,
    dead,
    samples,
    positives,
    first_onset_on,
    last_onset_on,
    agent,
    known_at
)
select
    r.subject,
    r.registers,
    r.kind,
    r.disease,
    r.area_id,
    r.day,
    r.place,
    r.started_on,
    r.ended_on,
    r.exposed,
    r.ill,
    r.hospitalised,
    r.dead,
    r.samples,
    r.positives,
    r.first_onset_on,
    r.last_onset_on,
    r.agent,
    -- A row of its own kind cannot be without one; the one that stands is kept below.
    coalesce(r.known_at, '-infinity') as known_at
from jsonb_populate_recordset(null::foci, %(rows)s::jsonb) as r
on conflict (subject) do update
    set
        registers = excluded.registers,
        kind = excluded.kind,
        disease = excluded.disease,
        area_id = excluded.area_id,
        day = excluded.day,
        place = excluded.place,
        started_on = excluded.started_on,
        ended_on = excluded.ended_on,
        exposed = excluded.exposed,
        ill = excluded.ill,
        hospitalised = excluded.hospitalised,
        dead = excluded.dead,
        samples = excluded.samples,
        positives = excluded.positives,
        first_onset_on = excluded.first_onset_on,
        last_onset_on = excluded.last_onset_on,
        agent = excluded.agent,
        known_at = greatest(f.known_at, excluded.known_at);
