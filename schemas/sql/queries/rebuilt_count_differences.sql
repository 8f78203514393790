-- name: rebuilt_count_differences
-- returns: daily counts that differ: the amounts of every counter; a row of zeros is as good as none
-- params: most int
-- used by: streams/stores/rebuild.py

with sides as (
    select
        true as is_live,
        t.disease,
        t.area_id,
        t.basis,
        t.day,
        t.via,
        t.agent,
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
    from public.daily_counts as t
    union all
    select
        false as is_live,
        t.disease,
        t.area_id,
        t.basis,
        t.day,
        t.via,
        t.agent,
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
    from shadow.daily_counts as t
),

counted as (
    select
        s.disease,
        s.area_id,
        s.basis,
        s.day,
        s.via,
        s.agent,
        max(s.amounts) filter (where s.is_live) as live,
        max(s.amounts) filter (where not s.is_live) as rebuilt
    from sides as s
    where s.amounts <> array_fill(0, array[11])
    group by s.disease, s.area_id, s.basis, s.day, s.via, s.agent
)

select
    c.disease,
    c.area_id,
    c.basis,
    c.day,
    c.via,
    c.agent,
    c.live,
    c.rebuilt
from counted as c
where c.live is distinct from c.rebuilt
order by c.disease, c.area_id, c.basis, c.day, c.via, c.agent
limit %(most)s;
