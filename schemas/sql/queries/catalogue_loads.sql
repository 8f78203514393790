-- name: catalogue_loads
-- returns: every load, oldest first; is_kept: what it put in force is kept with it
-- params: none
-- used by: streams/stores/catalogue.py

select
    cl.load_id,
    cl.version,
    cl.known_at,
    cl.content is not null as is_kept
from catalogue_loads as cl
order by cl.load_id;
