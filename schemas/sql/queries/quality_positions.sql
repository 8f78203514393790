-- name: quality_positions
-- returns: how many partitions have kept positions, and whether all were judged by the catalogue in force
-- params: topic text
-- used by: streams/stores/quality.py

select
    count(*)::int as partitions,
    coalesce(
        bool_and(
            qp.load_id = (
                select max(cl.load_id) from catalogue_loads as cl
            )
        ),
        false
    ) as is_current
from quality_positions as qp
where qp.topic = %(topic)s;
