-- One row: how the stream is at this moment. The lag is that of the monitor's last look, `look_age_seconds` ago.
create view boards.stream_now as
with looked as (
    select
        sl.at,
        sl.lag_records
    from public.stream_looks as sl
    order by sl.at desc
    limit 1
),

recent as (
    select
        (
            select count(*) from public.dead_letters as dl
            where dl.known_at > now() - interval '1 hour' and dl.retried_at is null
        ) as dead,
        (
            select count(*) from public.case_events as ce
            where ce.known_at > now() - interval '1 hour' and not starts_with(ce.subject, 'canary/')
        ) as journaled
)

select
    (
        select extract(epoch from now() - max(so.last_known_at))::double precision
        from public.stream_offsets as so
        where so.next_offset > 0
    ) as newest_age_seconds,
    extract(epoch from now() - l.at)::double precision as look_age_seconds,
    l.lag_records::double precision as lag_records,
    r.dead::double precision as dead_recent,
    coalesce(r.dead / nullif(r.dead + r.journaled, 0)::double precision, 0) as dead_share,
    (
        select count(*) from public.dead_letters as dl
        where dl.retried_at is null
    )::double precision as dead_open,
    (select count(*) from public.parked_events)::double precision as parked,
    (
        select count(*) from public.audit_findings as af
        where af.resolved_at is null
    )::double precision as findings,
    (
        select extract(epoch from now() - ar.ended_at)::double precision
        from public.audit_rounds as ar
    ) as audit_age_seconds,
    (
        select count(*) from public.alert_deliveries as ad
        where
            ad.sent_at is null and ad.dropped_at is null
            and ad.due_at < now()
    )::double precision as deliveries_waiting,
    (
        select extract(epoch from now() - min(ad.due_at))::double precision
        from public.alert_deliveries as ad
        where
            ad.sent_at is null and ad.dropped_at is null
            and ad.due_at < now()
    ) as delivery_late_seconds
from recent as r
left join looked as l on true;
