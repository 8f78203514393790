-- name: unannounced_load_changes
-- returns: load_id, disease and area_id of every count that a load moved, for loads not announced yet; nulls for a load that moved none
-- params: none
-- used by: streams/stores/catalogue.py

select distinct
    cl.load_id,
    cc.disease,
    cc.area_id
from catalogue_loads as cl
left join count_changes as cc
    on
        cl.load_id = cc.load_id
        and cl.known_at = cc.known_at
where cl.announced_at is null
order by cl.load_id, cc.disease, cc.area_id;
