-- name: table_dimensions
-- returns: one row: the time column of a hypertable and its chunks' interval as text; none for a plain table
-- params: schema text, table text
-- used by: streams/stores/shadow.py

select
    di.column_name,
    di.time_interval::text as time_interval
from timescaledb_information.dimensions as di
where
    di.hypertable_schema = %(schema)s
    and di.hypertable_name = %(table)s;
