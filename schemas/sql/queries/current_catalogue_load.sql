-- name: current_catalogue_load
-- returns: one row: the load in force; none before the first
-- params: none
-- used by: streams/stores/catalogue.py

select
    cl.load_id,
    cl.version
from catalogue_loads as cl
order by cl.load_id desc
limit 1;
