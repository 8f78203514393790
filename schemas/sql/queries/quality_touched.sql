-- name: quality_touched
-- returns: the Mondays of the weeks of report in which anything may be another since the positions last kept; the old week of a case that moved included
-- params: topic text
-- used by: streams/stores/quality.py

with said as (
    select distinct
        ce.subject,
        ce.event_id
    from stream_offsets as so
    left join quality_positions as qp
        on
            so.topic = qp.topic
            and so.kafka_partition = qp.kafka_partition
    inner join case_events as ce
        on
            so.kafka_partition = ce.kafka_partition
            and (ce.epoch, ce.kafka_offset) >= (coalesce(qp.epoch, 0), coalesce(qp.next_offset, 0))
    where so.topic = %(topic)s
),

days as (
    select c.counted_report_day as day
    from said as s
    inner join cases as c on s.subject = c.subject
    union
    select cc.day
    from said as s
    inner join count_changes as cc
        on
            s.subject = cc.subject
            and s.event_id = cc.event_id
    where cc.basis = 'report'
)

select distinct date_trunc('week', d.day)::date as week_start
from days as d
where d.day is not null
order by 1;
