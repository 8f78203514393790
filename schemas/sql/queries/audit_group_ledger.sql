-- name: audit_group_ledger
-- returns: the ledger of some (disease, basis, day), summed per key
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
    cc.disease,
    cc.area_id,
    cc.basis,
    cc.day::text as day,
    cc.via,
    cc.agent,
    sum(cc.notified)::int as notified,
    sum(cc.suspected)::int as suspected,
    sum(cc.probable)::int as probable,
    sum(cc.confirmed)::int as confirmed,
    sum(cc.discarded)::int as discarded,
    sum(cc.positive)::int as positive,
    sum(cc.negative)::int as negative,
    sum(cc.pending)::int as pending,
    sum(cc.deaths)::int as deaths,
    sum(cc.imported)::int as imported,
    sum(cc.hospitalised)::int as hospitalised
from asked as g
inner join count_changes as cc
    on
        g.disease = cc.disease
        and g.basis = cc.basis
        and g.day = cc.day
group by cc.disease, cc.area_id, cc.basis, cc.day, cc.via, cc.agent
union all
select
    cc.disease,
    cc.area_id,
    cc.basis,
    cc.day::text as day,
    cc.via,
    cc.agent,
    sum(cc.notified)::int as notified,
    sum(cc.suspected)::int as suspected,
    sum(cc.probable)::int as probable,
    sum(cc.confirmed)::int as confirmed,
    sum(cc.discarded)::int as discarded,
    sum(cc.positive)::int as positive,
    sum(cc.negative)::int as negative,
    sum(cc.pending)::int as pending,
    sum(cc.deaths)::int as deaths,
    sum(cc.imported)::int as imported,
    sum(cc.hospitalised)::int as hospitalised
from asked as g
inner join count_changes as cc
    on
        g.disease = cc.disease
        and g.basis = cc.basis
where
    g.day is null
    and cc.day is null
group by cc.disease, cc.area_id, cc.basis, cc.day, cc.via, cc.agent;
