-- name: reporting_triangle
-- returns: one row per series, period of onset and period in which it became known: signed sum of all changes (moved), cases that came to stand in the counts then and still do (arrivals), and the same with the backfilled ones (counted)
-- params: structure_on date, province_id and district_id text or null, first and last date (onset, local), known_from and known_before timestamptz, backfilled_after interval, booleans by_disease, by_district, weekly
-- used by: streams/stores/triangle.py

-- A series' case stands in a period of onset from its last +1 there, if its signed rows add up to more than zero.
-- Moves within the series (between communes, or days of one week) cancel out.
with moves as (
    select
        cc.subject,
        cc.notified,
        case when %(by_disease)s then cc.disease end as disease,
        case when %(by_district)s then ag.district_id end as district_id,
        case when %(weekly)s then date_trunc('week', cc.day)::date else cc.day end as onset,
        case
            when %(weekly)s
                then date_trunc('week', cc.known_at at time zone 'Asia/Ho_Chi_Minh')::date
            else (cc.known_at at time zone 'Asia/Ho_Chi_Minh')::date
        end as known,
        cc.notified > 0
        and coalesce(ce.event_time < cc.known_at - %(backfilled_after)s, false) as is_backfilled
    from count_changes as cc
    inner join area_geographies as ag
        on
            cc.area_id = ag.area_id
            and ag.structure_on = %(structure_on)s
    left join case_events as ce
        on
            cc.subject = ce.subject
            and cc.event_id = ce.event_id
            and cc.known_at = ce.known_at
            and ce.known_at >= %(known_from)s
            and ce.known_at < %(known_before)s
    where
        cc.basis = 'onset'
        and cc.agent = ''
        and cc.notified <> 0
        and (cc.via = '' or %(by_disease)s)
        and cc.day between %(first)s and %(last)s
        -- Nothing is known before its onset: only the chunks since then are read.
        and cc.known_at >= %(known_from)s
        and cc.known_at < %(known_before)s
        and (%(province_id)s::text is null or ag.province_id = %(province_id)s)
        and (%(district_id)s::text is null or ag.district_id = %(district_id)s)
),

steps as (
    select
        m.disease,
        m.district_id,
        m.onset,
        m.known,
        m.subject,
        sum(m.notified) as net,
        bool_or(m.is_backfilled) as is_backfilled
    from moves as m
    group by 1, 2, 3, 4, 5
    having sum(m.notified) <> 0
),

ranked as (
    select
        s.*,
        sum(s.net) over of_case as total,
        bool_or(s.is_backfilled) over of_case as is_case_backfilled,
        max(s.known) filter (where s.net > 0) over of_case as arrived
    from steps as s
    window of_case as (partition by s.disease, s.district_id, s.onset, s.subject)
)

select
    r.disease,
    r.district_id,
    r.onset,
    r.known,
    coalesce(sum(r.net) filter (where not r.is_case_backfilled), 0)::int as moved,
    count(*) filter (where r.total > 0 and r.known = r.arrived and not r.is_case_backfilled)::int as arrivals,
    count(*) filter (where r.total > 0 and r.known = r.arrived)::int as counted
from ranked as r
group by 1, 2, 3, 4
order by 1, 2, 3, 4;
