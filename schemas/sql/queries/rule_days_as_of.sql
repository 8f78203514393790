-- name: rule_days_as_of
-- returns: as rule_days, of what was known at an instant
-- params: of equal length, one entry per area of a key: key_nos int[], diseases text[], area_ids text[], first_days date[]; as_of timestamptz
-- used by: streams/stores/rule_history.py

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
            cc.day,
            sum(cc.notified - cc.discarded) as cases
        from count_changes as cc
        where
            cc.known_at <= %(as_of)s
            and cc.disease = a.disease
            and cc.basis = 'onset'
            and cc.agent = ''
            and cc.day >= a.since
            and cc.area_id = a.area_id
        group by cc.day
    ) as c
group by a.key_no, c.day
having sum(c.cases) <> 0
order by a.key_no, c.day;
