-- name: save_audit_round
-- returns: nothing
-- params: seconds double precision, waiting_events bigint
-- used by: streams/stores/audit_rounds.py

insert into audit_rounds (ended_at, seconds, waiting_events)
values (clock_timestamp(), %(seconds)s, %(waiting_events)s)
on conflict (is_only) do update
    set
        ended_at = excluded.ended_at,
        seconds = excluded.seconds,
        waiting_events = excluded.waiting_events;
