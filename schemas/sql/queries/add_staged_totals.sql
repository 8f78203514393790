-- name: add_staged_totals
-- returns: nothing
-- params: none; reads the temporary table staged_totals
-- used by: streams/stores/tables.py

insert into district_totals as dt (
    disease,
    via,
    district_id,
    year,
    basis,
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
    s.via,
    s.district_id,
    s.year,
    s.basis,
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
from staged_totals as s
order by s.disease, s.via, s.district_id, s.year, s.basis
on conflict on constraint district_totals_key do update
    set
        notified = dt.notified + excluded.notified,
        suspected = dt.suspected + excluded.suspected,
        probable = dt.probable + excluded.probable,
        confirmed = dt.confirmed + excluded.confirmed,
        discarded = dt.discarded + excluded.discarded,
        positive = dt.positive + excluded.positive,
        negative = dt.negative + excluded.negative,
        pending = dt.pending + excluded.pending,
        deaths = dt.deaths + excluded.deaths,
        imported = dt.imported + excluded.imported,
        hospitalised = dt.hospitalised + excluded.hospitalised;
