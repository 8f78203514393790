-- name: alert_precision
-- returns: one row per rule that ever raised an alert: how many people verified, dismissed, have not judged
-- params: none
-- used by: streams/stores/alerts.py

with judged as (
    select
        a.rule_id,
        -- What was last said of it counts; a closed alert keeps what was said before it was closed.
        (
            select ae.kind
            from alert_events as ae
            where
                ae.alert_id = a.alert_id
                and ae.kind in ('verified', 'determined', 'dismissed')
            order by ae.number desc
            limit 1
        ) as said
    from alerts as a
)

select
    j.rule_id,
    (count(*) filter (where j.said in ('verified', 'determined')))::int as verified,
    (count(*) filter (where j.said = 'dismissed'))::int as dismissed,
    (count(*) filter (where j.said is null))::int as open
from judged as j
group by j.rule_id
order by j.rule_id;
