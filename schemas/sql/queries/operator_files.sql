-- name: operator_files
-- returns: what operators loaded, in the order in which it is laid over the package's catalogue
-- params: none
-- used by: streams/stores/catalogue.py

select
    f.name,
    f.files,
    f.sha256,
    f.loaded_at,
    f.load_id
from operator_files as f
order by f.position;
