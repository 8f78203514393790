-- name: audit_group_counts
-- returns: the daily counts of some (disease, basis, day)
-- params: diseases text[], bases text[], days date[] (side by side; null: without a day)
-- used by: streams/stores/audit_rounds.py

-- Two branches, each with its index: "is not distinct from" has none.
with asked as (
    select
        u.disease,
        u.basis,
        u.day
    from unnest(%(diseases)s::text[], %(bases)s::text[], %(days)s::date[]) as u (disease, basis, day)
)

select
    dc.disease,
    dc.area_id,
    dc.basis,
    dc.day::text as day,
    dc.via,
    dc.agent,
    dc.notified,
    dc.suspected,
    dc.probable,
    dc.confirmed,
    dc.discarded,
    dc.positive,
    dc.negative,
    dc.pending,
    dc.deaths,
    dc.imported,
    dc.hospitalised
from asked as g
inner join daily_counts as dc
    on
        g.disease = dc.disease
        and g.basis = dc.basis
        and g.day = dc.day
union all
select
    dc.disease,
    dc.area_id,
    dc.basis,
    dc.day::text as day,
    dc.via,
    dc.agent,
    dc.notified,
    dc.suspected,
    dc.probable,
    dc.confirmed,
    dc.discarded,
    dc.positive,
    dc.negative,
    dc.pending,
    dc.deaths,
    dc.imported,
    dc.hospitalised
from asked as g
inner join daily_counts as dc
    on
        g.disease = dc.disease
        and g.basis = dc.basis
where
    g.day is null
    and dc.day is null;
