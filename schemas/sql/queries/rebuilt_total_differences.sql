-- name: rebuilt_total_differences
-- returns: district totals that differ: the amounts of every counter; a row of zeros is as good as none
-- params: most int
-- used by: streams/stores/rebuild.py

with sides as (
    select
        true as is_live,
        t.disease,
        t.via,
        t.district_id,
        t.year,
        t.basis,
        array[
            t.notified,
            t.suspected,
            t.probable,
            t.confirmed,
            t.discarded,
            t.positive,
            t.negative,
            t.pending,
            t.deaths,
            t.imported,
            t.hospitalised
        ] as amounts
    from public.district_totals as t
    union all
    select
        false as is_live,
        t.disease,
        t.via,
        t.district_id,
        t.year,
        t.basis,
        array[
            t.notified,
            t.suspected,
            t.probable,
            t.confirmed,
            t.discarded,
            t.positive,
            t.negative,
            t.pending,
            t.deaths,
            t.imported,
            t.hospitalised
        ] as amounts
    from shadow.district_totals as t
),

counted as (
    select
        s.disease,
        s.via,
        s.district_id,
        s.year,
        s.basis,
        max(s.amounts) filter (where s.is_live) as live,
        max(s.amounts) filter (where not s.is_live) as rebuilt
    from sides as s
    where s.amounts <> array_fill(0, array[11])
    group by s.disease, s.via, s.district_id, s.year, s.basis
)

select
    c.disease,
    c.via,
    c.district_id,
    c.year,
    c.basis,
    c.live,
    c.rebuilt
from counted as c
where c.live is distinct from c.rebuilt
order by c.disease, c.via, c.district_id, c.year, c.basis
limit %(most)s;
