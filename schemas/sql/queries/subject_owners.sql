-- name: subject_owners
-- returns: one row per known case and focus of some subjects: its area, and whether a facility has reported it
-- params: subjects text[], facility text or null
-- used by: services/intake/people/store.py

select
    'case' as kind,
    c.subject,
    c.registers -> 'area_id' ->> 1 as area_id,
    coalesce(c.registers -> 'reporting_facility' ->> 1 = %(facility)s, false) or exists (
        select 1 from case_events as ce
        where ce.subject = c.subject and ce.source = '/facilities/' || %(facility)s::text
    ) as is_reported_by
from cases as c
where c.subject = any(%(subjects)s)
union all
select
    'focus' as kind,
    f.subject,
    f.area_id,
    false or exists (
        select 1 from report_events as re
        where
            re.kind = 'focus'
            and re.subject = f.subject
            and re.source = '/facilities/' || %(facility)s::text
    ) as is_reported_by
from foci as f
where f.subject = any(%(subjects)s);
