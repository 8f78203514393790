-- name: audit_sizes
-- returns: one row: how many events, cases, parked events, those of some subjects left out
-- params: canaries text (what the subjects begin with that are left out)
-- used by: streams/stores/audit.py

select
    (
        select count(*) from case_events as ce
        where not starts_with(ce.subject, %(canaries)s)
    ) as events,
    (
        select count(*) from cases as c
        where not starts_with(c.subject, %(canaries)s)
    ) as cases,
    (
        select count(*) from parked_events as pe
        where not starts_with(pe.subject, %(canaries)s)
    ) as parked;
