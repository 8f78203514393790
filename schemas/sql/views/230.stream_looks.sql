-- One row per minute of the last thirty days: what the monitor saw of the stream.
create view boards.stream_looks as
select
    sl.at,
    sl.lag_records,
    sl.newest_age_seconds,
    sl.dead_share,
    sl.dead_open,
    sl.parked,
    sl.findings,
    sl.audit_age_seconds
from public.stream_looks as sl;
