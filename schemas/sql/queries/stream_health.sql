-- name: stream_health
-- returns: one row: age of the newest folded record in seconds; what came in the last hour (journaled, dead); open dead letters, parked; the audit's last round, last whole sweep, waiting events
-- params: topic text, window interval, canaries text (what their subjects begin with)
-- used by: streams/stores/health.py

select
    (
        select extract(epoch from clock_timestamp() - max(so.last_known_at))::float8
        from stream_offsets as so
        where so.topic = %(topic)s
    ) as newest_age,
    (
        select count(*) from case_events as ce
        where
            ce.known_at > now() - %(window)s
            and not starts_with(ce.subject, %(canaries)s)
    ) as journaled,
    (
        select count(*) from dead_letters as dl
        where
            dl.topic = %(topic)s
            and dl.known_at > now() - %(window)s
            and dl.retried_at is null
    ) as dead,
    (
        select count(*) from dead_letters as dl
        where dl.retried_at is null
    ) as dead_open,
    (select count(*) from parked_events) as parked,
    (
        select extract(epoch from clock_timestamp() - ar.ended_at)::float8
        from audit_rounds as ar
    ) as round_age,
    (
        select extract(epoch from clock_timestamp() - max(s.started_at))::float8
        from audit_sweeps as s
        where s.ended_at is not null
    ) as sweep_age,
    (select ar.waiting_events from audit_rounds as ar) as audit_waiting;
