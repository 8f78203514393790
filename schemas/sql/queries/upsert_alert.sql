-- name: upsert_alert
-- returns: nothing
-- params: alert_id uuid, rule_id, disease, area_id, state, level text, verdict as JSON text, is_met boolean, cases int, period_start and period_end date or null, raised_at, waiting_since, changed_at timestamptz, events int, settled_at, determined_at, ended_at, end_proposed_at, escalated_at timestamptz or null
-- used by: streams/stores/alerts.py

insert into alerts (
    alert_id,
    rule_id,
    disease,
    area_id,
    state,
    level,
    verdict,
    is_met,
    cases,
    period_start,
    period_end,
    raised_at,
    waiting_since,
    changed_at,
    events,
    settled_at,
    determined_at,
    ended_at,
    end_proposed_at,
    escalated_at
)
values (
    %(alert_id)s,
    %(rule_id)s,
    %(disease)s,
    %(area_id)s,
    %(state)s,
    %(level)s,
    %(verdict)s,
    %(is_met)s,
    %(cases)s,
    %(period_start)s,
    %(period_end)s,
    %(raised_at)s,
    %(waiting_since)s,
    %(changed_at)s,
    %(events)s,
    %(settled_at)s,
    %(determined_at)s,
    %(ended_at)s,
    %(end_proposed_at)s,
    %(escalated_at)s
)
on conflict (alert_id) do update
    set
        state = excluded.state,
        level = excluded.level,
        verdict = excluded.verdict,
        is_met = excluded.is_met,
        cases = excluded.cases,
        period_start = excluded.period_start,
        period_end = excluded.period_end,
        waiting_since = excluded.waiting_since,
        changed_at = excluded.changed_at,
        events = excluded.events,
        settled_at = excluded.settled_at,
        determined_at = excluded.determined_at,
        ended_at = excluded.ended_at,
        end_proposed_at = excluded.end_proposed_at,
        escalated_at = excluded.escalated_at;
