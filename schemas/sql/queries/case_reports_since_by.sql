-- name: case_reports_since_by
-- returns: first day from which case reports count, by disease and province, as the catalogue of then said; as it says now where what a load put in force is not kept
-- params: as_of timestamptz or null, load_id int or null
-- used by: streams/stores/tallies.py

with chosen as (
    -- What came before every load was judged by the first.
    select
        coalesce(
            max(cl.load_id) filter (
                where
                (%(as_of)s::timestamptz is null or cl.known_at <= %(as_of)s)
                and (%(load_id)s::int is null or cl.load_id <= %(load_id)s)
            ),
            min(cl.load_id)
        ) as load_id
    from catalogue_loads as cl
),

past as (
    select cl.content -> 'case_reports_since' as kept
    from catalogue_loads as cl
    inner join chosen as c on cl.load_id = c.load_id
    -- What is in force stands in the table: unpacking what a load kept takes longer than all the rest.
    where
        %(as_of)s::timestamptz is not null
        or %(load_id)s::int is not null
)

select
    k.disease,
    k.province_id,
    k.since
from past as p
cross join lateral jsonb_populate_recordset(null::case_reports_since, p.kept) as k
union all
select
    crs.disease,
    crs.province_id,
    crs.since
from case_reports_since as crs
where not exists (
    select 1
    from past as p
    where p.kept is not null
);
