-- name: alert_health
-- returns: one row: seconds since the watcher last looked, and since the longest waiting delivery was due; null where there is nothing of it
-- params: none
-- used by: streams/stores/health.py

select
    (
        select extract(epoch from now() - sol.at)::float8
        from signs_of_life as sol
        where sol.name = 'watcher'
    ) as watcher_age,
    (
        select extract(epoch from now() - min(ad.due_at))::float8
        from alert_deliveries as ad
        where
            ad.sent_at is null
            and ad.dropped_at is null
            and ad.due_at <= now()
    ) as delivery_waiting;
