-- name: add_staged_counts
-- returns: nothing
-- params: none; reads the temporary table staged_counts
-- used by: streams/stores/tables.py

insert into daily_counts as dc (
    disease,
    area_id,
    basis,
    day,
    via,
    agent,
    notified,
    suspected,
    probable,
    confirmed,
    discarded,
    positive,
    negative,
    pending,
    deaths,
    imported,
    hospitalised
)
select
    s.disease,
    s.area_id,
    s.basis,
    s.day,
    s.via,
    s.agent,
    s.notified,
    s.suspected,
    s.probable,
    s.confirmed,
    s.discarded,
    s.positive,
    s.negative,
    s.pending,
    s.deaths,
    s.imported,
    s.hospitalised
from staged_counts as s
-- In key order, so that two workers never wait for each other in a circle.
order by s.disease, s.basis, s.day, s.area_id, s.via, s.agent
on conflict on constraint daily_counts_key do update
    set
        notified = dc.notified + excluded.notified,
        suspected = dc.suspected + excluded.suspected,
        probable = dc.probable + excluded.probable,
        confirmed = dc.confirmed + excluded.confirmed,
        discarded = dc.discarded + excluded.discarded,
        positive = dc.positive + excluded.positive,
        negative = dc.negative + excluded.negative,
        pending = dc.pending + excluded.pending,
        deaths = dc.deaths + excluded.deaths,
        imported = dc.imported + excluded.imported,
        hospitalised = dc.hospitalised + excluded.hospitalised;
