-- name: rule_days
-- returns: per number of a key cases of its disease that are not discarded, by day of onset, over its areas; days without a case are absent
-- params: of equal length, one entry per area of a key: key_nos int[], diseases text[], area_ids text[], first_days date[]
-- used by: streams/stores/rule_history.py

-- Of the present alone: with the ledger's as-of beside it, the planner may read the ledger for nothing.
-- Grouped within: joined as wholes, the tables would be read as wholes; each area's few rows have an index.
with asked as (
    select
        a.key_no,
        a.disease,
        a.area_id,
        a.since
    from
        unnest(
            %(key_nos)s::int[], %(diseases)s::text[], %(area_ids)s::text[], %(first_days)s::date[]
        ) as a (key_no, disease, area_id, since)
)

select
    a.key_no,
    c.day,
    sum(c.cases)::int as cases
from asked as a
cross join
    lateral (
        select
            dc.day,
            sum(dc.notified - dc.discarded) as cases
        from daily_counts as dc
        where
            dc.disease = a.disease
            and dc.basis = 'onset'
            and dc.agent = ''
            and dc.day >= a.since
            and dc.area_id = a.area_id
        group by dc.day
    ) as c
group by a.key_no, c.day
having sum(c.cases) <> 0
order by a.key_no, c.day;
