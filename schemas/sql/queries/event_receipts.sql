-- name: event_receipts
-- returns: one row per journaled event with an id; subjects that never used it are absent
-- params: event_id uuid, subject text or null (only of this subject)
-- used by: streams/stores/receipts.py

with identities as (
    select
        ei.subject,
        ei.event_id
    from event_ids as ei
    where
        ei.event_id = %(event_id)s
        and (%(subject)s::text is null or ei.subject = %(subject)s)
)

select
    'case' as kind,
    ce.subject,
    ce.event_type,
    ce.event_time,
    ce.known_at,
    ce.source,
    ce.data,
    coalesce(ce.area_id, c.registers -> 'area_id' ->> 1) as area_id,
    pe.reason as parked_reason,
    pe.code as parked_code,
    c.registers,
    c.counted_disease is not null as is_counted
from identities as i
inner join case_events as ce on i.subject = ce.subject and i.event_id = ce.event_id
left join parked_events as pe on ce.subject = pe.subject and ce.event_id = pe.event_id
left join cases as c on ce.subject = c.subject
union all
select
    re.kind,
    re.subject,
    'vn.canhdich.' || re.kind || '.reported.v1' as event_type,
    re.event_time,
    re.known_at,
    re.source,
    re.data,
    coalesce(re.area_id, t.area_id, f.area_id) as area_id,
    pr.reason as parked_reason,
    pr.code as parked_code,
    coalesce(t.registers, f.registers) as registers,
    num_nonnulls(t.subject, f.subject) > 0 as is_counted
from identities as i
inner join report_events as re on i.subject = re.subject and i.event_id = re.event_id
left join parked_reports as pr
    on
        re.kind = pr.kind
        and re.subject = pr.subject
        and re.event_id = pr.event_id
        and pr.folded_at is null
left join tallies as t on re.kind = 'tally' and re.subject = t.subject
left join foci as f on re.kind = 'focus' and re.subject = f.subject
order by subject;
