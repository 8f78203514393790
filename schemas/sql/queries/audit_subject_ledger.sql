-- name: audit_subject_ledger
-- returns: the ledger of some cases, summed per case and key; keys whose rows cancel out are there, with zeros
-- params: subjects text[]
-- used by: streams/stores/audit_rounds.py

select
    cc.subject,
    cc.disease,
    cc.area_id,
    cc.basis,
    cc.day::text as day,
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
where cc.subject = any(%(subjects)s)
group by cc.subject, cc.disease, cc.area_id, cc.basis, cc.day, cc.via, cc.agent;
