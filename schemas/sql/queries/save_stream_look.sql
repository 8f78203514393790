-- name: save_stream_look
-- returns: nothing
-- params: lag_records bigint or null, newest_age_seconds float8 or null, dead_share float8, dead_open, parked and findings bigint, audit_age_seconds float8 or null; of one minute the last look stays, with the longest lag
-- used by: streams/stores/quality.py

with forgotten as (
    delete from stream_looks as sl
    where sl.at < now() - interval '30 days'
)

insert into stream_looks as sl (
    at, lag_records, newest_age_seconds, dead_share, dead_open, parked, findings, audit_age_seconds
)
values (
    date_trunc('minute', now()), %(lag_records)s, %(newest_age_seconds)s, %(dead_share)s, %(dead_open)s,
    %(parked)s, %(findings)s, %(audit_age_seconds)s
)
on conflict (at) do update
    set
        -- A lag that nobody knew for a part of the minute is not shown as known.
        lag_records = case
            when sl.lag_records is not null then greatest(sl.lag_records, excluded.lag_records)
        end,
        newest_age_seconds = excluded.newest_age_seconds,
        dead_share = excluded.dead_share,
        dead_open = excluded.dead_open,
        parked = excluded.parked,
        findings = excluded.findings,
        audit_age_seconds = excluded.audit_age_seconds;
