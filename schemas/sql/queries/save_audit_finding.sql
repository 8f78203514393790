-- name: save_audit_finding
-- returns: nothing
-- params: kind text, key jsonb, stored jsonb, recomputed jsonb
-- used by: streams/stores/audit_rounds.py

insert into audit_findings (kind, key, stored, recomputed, first_seen_at, last_seen_at)
values (%(kind)s, %(key)s, %(stored)s, %(recomputed)s, clock_timestamp(), clock_timestamp())
on conflict (kind, key) where resolved_at is null do update
    set
        stored = excluded.stored,
        recomputed = excluded.recomputed,
        last_seen_at = excluded.last_seen_at;
