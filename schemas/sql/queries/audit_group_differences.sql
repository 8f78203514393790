-- name: audit_group_differences
-- returns: the daily counts of some (disease, basis, day) that are not the sum of their ledger: both amounts
-- params: diseases text[], bases text[], days date[] (side by side; null: without a day)
-- used by: streams/stores/audit_rounds.py

-- Compared here: a group has thousands of counts, and what is equal need not travel.
-- Two branches each, with their indexes: "is not distinct from" has none.
with asked as (
    select
        u.disease,
        u.basis,
        u.day
    from unnest(%(diseases)s::text[], %(bases)s::text[], %(days)s::date[]) as u (disease, basis, day)
),

counts as (
    select dc.*
    from asked as g
    inner join daily_counts as dc
        on
            g.disease = dc.disease
            and g.basis = dc.basis
            and g.day = dc.day
    union all
    select dc.*
    from asked as g
    inner join daily_counts as dc
        on
            g.disease = dc.disease
            and g.basis = dc.basis
    where
        g.day is null
        and dc.day is null
),

changes as (
    select cc.*
    from asked as g
    inner join count_changes as cc
        on
            g.disease = cc.disease
            and g.basis = cc.basis
            and g.day = cc.day
    union all
    select cc.*
    from asked as g
    inner join count_changes as cc
        on
            g.disease = cc.disease
            and g.basis = cc.basis
    where
        g.day is null
        and cc.day is null
),

stored as (
    select
        c.disease,
        c.area_id,
        c.basis,
        c.day,
        c.via,
        c.agent,
        array[
            c.notified,
            c.suspected,
            c.probable,
            c.confirmed,
            c.discarded,
            c.positive,
            c.negative,
            c.pending,
            c.deaths,
            c.imported,
            c.hospitalised
        ] as amounts
    from counts as c
),

summed as (
    select
        c.disease,
        c.area_id,
        c.basis,
        c.day,
        c.via,
        c.agent,
        array[
            sum(c.notified),
            sum(c.suspected),
            sum(c.probable),
            sum(c.confirmed),
            sum(c.discarded),
            sum(c.positive),
            sum(c.negative),
            sum(c.pending),
            sum(c.deaths),
            sum(c.imported),
            sum(c.hospitalised)
        ]::int[] as amounts
    from changes as c
    group by c.disease, c.area_id, c.basis, c.day, c.via, c.agent
)

select
    coalesce(s.disease, l.disease) as disease,
    coalesce(s.area_id, l.area_id) as area_id,
    coalesce(s.basis, l.basis) as basis,
    coalesce(s.day, l.day)::text as day,
    coalesce(s.via, l.via) as via,
    coalesce(s.agent, l.agent) as agent,
    coalesce(s.amounts, array_fill(0, array[11])) as stored,
    coalesce(l.amounts, array_fill(0, array[11])) as summed
from stored as s
full join summed as l
    on
        s.disease = l.disease
        and s.area_id = l.area_id
        and s.basis = l.basis
        and coalesce(s.day, '-infinity') = coalesce(l.day, '-infinity')
        and s.via = l.via
        and s.agent = l.agent
where coalesce(s.amounts, array_fill(0, array[11])) <> coalesce(l.amounts, array_fill(0, array[11]));
