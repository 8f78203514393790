-- name: snapshots
-- returns: the snapshots, newest first; only the one asked for where an id is given
-- params: snapshot_id uuid or null
-- used by: streams/stores/snapshots.py

select
    s.snapshot_id,
    s.taken_at,
    s.label,
    s.kind,
    s.load_id,
    cl.version as catalogue_version,
    s.positions,
    s.settings,
    s.document,
    s.sha256
from snapshots as s
inner join catalogue_loads as cl on s.load_id = cl.load_id
where
    %(snapshot_id)s::uuid is null
    or s.snapshot_id = %(snapshot_id)s
order by s.taken_at desc, s.snapshot_id asc;
