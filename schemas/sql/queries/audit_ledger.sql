-- name: audit_ledger
-- returns: one row: how many counts are not the sum of their ledger rows
-- params: none
-- used by: streams/stores/audit.py

with ledger as (
    select
        cc.disease,
        cc.area_id,
        cc.basis,
        cc.day,
        cc.via,
        cc.agent,
        sum(cc.notified)::int as notified,
        sum(cc.suspected)::int as suspected,
        sum(cc.probable)::int as probable,
        sum(cc.confirmed)::int as confirmed,
        sum(cc.discarded)::int as discarded,
        sum(cc.positive)::int as positive,
        sum(cc.negative)::int as negative,
        sum(cc.pending)::int as pending,
        sum(cc.deaths)::int as deaths,
        sum(cc.imported)::int as imported,
        sum(cc.hospitalised)::int as hospitalised
    from count_changes as cc
    group by cc.disease, cc.area_id, cc.basis, cc.day, cc.via, cc.agent
)

select count(*) as differing
from daily_counts as dc
full outer join ledger as le
    on
        dc.disease = le.disease
        and dc.area_id = le.area_id
        and dc.basis = le.basis
        and coalesce(dc.day, '-infinity') = coalesce(le.day, '-infinity')
        and dc.via = le.via
        and dc.agent = le.agent
where
    coalesce(dc.notified, 0) <> coalesce(le.notified, 0)
    or coalesce(dc.suspected, 0) <> coalesce(le.suspected, 0)
    or coalesce(dc.probable, 0) <> coalesce(le.probable, 0)
    or coalesce(dc.confirmed, 0) <> coalesce(le.confirmed, 0)
    or coalesce(dc.discarded, 0) <> coalesce(le.discarded, 0)
    or coalesce(dc.positive, 0) <> coalesce(le.positive, 0)
    or coalesce(dc.negative, 0) <> coalesce(le.negative, 0)
    or coalesce(dc.pending, 0) <> coalesce(le.pending, 0)
    or coalesce(dc.deaths, 0) <> coalesce(le.deaths, 0)
    or coalesce(dc.imported, 0) <> coalesce(le.imported, 0)
    or coalesce(dc.hospitalised, 0) <> coalesce(le.hospitalised, 0);
