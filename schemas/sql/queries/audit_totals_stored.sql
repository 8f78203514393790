-- name: audit_totals_stored
-- returns: the district totals of some (disease, basis, year)
-- params: diseases text[], bases text[], years int[] (side by side; null: without a year)
-- used by: streams/stores/audit_rounds.py

select
    dt.disease,
    dt.via,
    dt.district_id,
    dt.year,
    dt.basis,
    dt.notified,
    dt.suspected,
    dt.probable,
    dt.confirmed,
    dt.discarded,
    dt.positive,
    dt.negative,
    dt.pending,
    dt.deaths,
    dt.imported,
    dt.hospitalised
from unnest(%(diseases)s::text[], %(bases)s::text[], %(years)s::int[]) as g (disease, basis, year)
inner join district_totals as dt
    on
        g.disease = dt.disease
        and g.basis = dt.basis
        and g.year is not distinct from dt.year;
