-- name: recompute_daily_counts
-- returns: nothing
-- params: none
-- used by: streams/stores/rebuild.py

insert into daily_counts (
    disease,
    area_id,
    basis,
    day,
    via,
    agent,
    notified,
    suspected,
    probable,
    confirmed,
    discarded,
    positive,
    negative,
    pending,
    deaths,
    imported,
    hospitalised
)
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
-- In the order of the key, so that its index grows at its end.
order by cc.disease, cc.basis, cc.day, cc.area_id, cc.via, cc.agent;
