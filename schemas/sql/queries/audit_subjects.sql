-- name: audit_subjects
-- returns: the next subjects after one, of cases, journal and ledger alike, in their order
-- params: after text, most int
-- used by: streams/stores/audit_rounds.py

(
    select c.subject
    from cases as c
    where c.subject > %(after)s
    order by c.subject
    limit %(most)s
)
union
(
    select distinct ce.subject
    from case_events as ce
    where ce.subject > %(after)s
    order by ce.subject
    limit %(most)s
)
union
(
    select distinct cc.subject
    from count_changes as cc
    where cc.subject > %(after)s
    order by cc.subject
    limit %(most)s
)
order by subject
limit %(most)s;
