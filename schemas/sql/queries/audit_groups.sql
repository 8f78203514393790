-- name: audit_groups
-- returns: the next (disease, basis, day) after one, of counts and ledger alike, in their order; days only
-- params: disease text, basis text, day date (all three: after these), most int
-- used by: streams/stores/audit_rounds.py

(
    select distinct
        dc.disease,
        dc.basis,
        dc.day
    from daily_counts as dc
    where
        (dc.disease, dc.basis, dc.day) > (%(disease)s, %(basis)s, %(day)s)
        and dc.day is not null
    order by dc.disease, dc.basis, dc.day
    limit %(most)s
)
union
(
    select distinct
        cc.disease,
        cc.basis,
        cc.day
    from count_changes as cc
    where
        (cc.disease, cc.basis, cc.day) > (%(disease)s, %(basis)s, %(day)s)
        and cc.day is not null
    order by cc.disease, cc.basis, cc.day
    limit %(most)s
)
order by disease, basis, day
limit %(most)s;
