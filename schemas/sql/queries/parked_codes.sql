-- name: parked_codes
-- returns: kind of event, reason, code and day for which it was meant, with how many events wait for it, since when, and one of their subjects; most events first
-- params: none
-- used by: streams/stores/areas.py

with waiting as (
    select
        'case' as kind,
        pe.reason,
        pe.code,
        pe.subject,
        pe.known_at,
        coalesce(
            ce.data ->> 'area_on',
            ce.data ->> 'onset_on',
            ce.data ->> 'reported_on',
            (ce.event_time at time zone 'Asia/Ho_Chi_Minh')::date::text
        ) as meant_on
    from parked_events as pe
    inner join case_events as ce
        on
            pe.subject = ce.subject
            and pe.event_id = ce.event_id
            and pe.known_at = ce.known_at
    union all
    select
        pr.kind,
        pr.reason,
        pr.code,
        pr.subject,
        pr.known_at,
        coalesce(
            re.data ->> 'period_end',
            re.data ->> 'started_on',
            re.data ->> 'first_onset_on',
            (re.event_time at time zone 'Asia/Ho_Chi_Minh')::date::text
        ) as meant_on
    from parked_reports as pr
    inner join report_events as re
        on
            pr.kind = re.kind
            and pr.subject = re.subject
            and pr.event_id = re.event_id
            and pr.known_at = re.known_at
    where pr.folded_at is null
)

select
    w.reason,
    w.code,
    count(*)::int as events,
    array_agg(distinct w.kind order by w.kind) as kinds,
    min(w.meant_on) as first_meant_on,
    max(w.meant_on) as last_meant_on,
    min(w.known_at) as waiting_since,
    min(w.subject) as subject
from waiting as w
group by w.reason, w.code
order by events desc, w.reason asc, w.code asc;
