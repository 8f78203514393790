-- name: audit_total_differences
-- returns: the district totals of some (disease, basis, year) that are not the sum of their daily counts: both
-- params: diseases text[], bases text[], years int[] (side by side; null: without a year)
-- used by: streams/stores/audit_rounds.py

with asked as (
    select
        u.disease,
        u.basis,
        u.year,
        -- A year that no day has is compared with nothing.
        make_date(greatest(1, least(9999, u.year)), 1, 1) as first_day,
        make_date(greatest(1, least(9999, u.year)), 12, 31) as last_day
    from unnest(%(diseases)s::text[], %(bases)s::text[], %(years)s::int[]) as u (disease, basis, year)
),

stored as (
    select
        dt.disease,
        dt.via,
        dt.district_id,
        dt.year,
        dt.basis,
        array[
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
        ] as amounts
    from asked as g
    inner join district_totals as dt
        on
            g.disease = dt.disease
            and g.basis = dt.basis
            and g.year is not distinct from dt.year
),

counts as (
    select
        g.year,
        dc.*
    from asked as g
    inner join daily_counts as dc
        on
            g.disease = dc.disease
            and g.basis = dc.basis
            and dc.day between g.first_day and g.last_day
    where g.year between 1 and 9999
    union all
    select
        g.year,
        dc.*
    from asked as g
    inner join daily_counts as dc
        on
            g.disease = dc.disease
            and g.basis = dc.basis
    where
        g.year is null
        and dc.day is null
),

counted as (
    select
        c.disease,
        c.via,
        coalesce(a.district_id, a.province_id) as district_id,
        c.year,
        c.basis,
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
    from counts as c
    inner join areas as a on c.area_id = a.area_id
    where c.agent = ''
    group by c.disease, c.via, coalesce(a.district_id, a.province_id), c.year, c.basis
)

select
    coalesce(s.disease, c.disease) as disease,
    coalesce(s.via, c.via) as via,
    coalesce(s.district_id, c.district_id) as district_id,
    coalesce(s.year, c.year) as year,
    coalesce(s.basis, c.basis) as basis,
    coalesce(s.amounts, array_fill(0, array[11])) as stored,
    coalesce(c.amounts, array_fill(0, array[11])) as counted
from stored as s
full join counted as c
    on
        s.disease = c.disease
        and s.via = c.via
        and s.district_id = c.district_id
        and coalesce(s.year, 0) = coalesce(c.year, 0)
        and s.basis = c.basis
where coalesce(s.amounts, array_fill(0, array[11])) <> coalesce(c.amounts, array_fill(0, array[11]));
