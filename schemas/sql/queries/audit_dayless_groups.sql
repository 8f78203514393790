-- name: audit_dayless_groups
-- returns: every disease and basis that counts or ledger have without a day
-- params: none
-- used by: streams/stores/audit_rounds.py

select
    dc.disease,
    dc.basis
from daily_counts as dc
where dc.day is null
union
-- Disease by disease along the index: the ledger has no other way to its rows without a day.
select
    d.code as disease,
    b.basis
from diseases as d
cross join (values ('onset'), ('report'), ('death')) as b (basis)
where
    exists (
        select 1 from count_changes as cc
        where
            cc.disease = d.code
            and cc.basis = b.basis
            and cc.day is null
    );
