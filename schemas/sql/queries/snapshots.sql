-- name: snapshots
-- returns: the snapshots, newest first; only the one asked for where an id is given; without their documents where those are not wanted
-- params: snapshot_id uuid or null, kind text or null (of all kinds), has_documents boolean
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
    case when %(has_documents)s then s.document else '' end as document,
    s.sha256
from snapshots as s
inner join catalogue_loads as cl on s.load_id = cl.load_id
where
    (%(snapshot_id)s::uuid is null or s.snapshot_id = %(snapshot_id)s)
    and (%(kind)s::text is null or s.kind = %(kind)s)
order by s.taken_at desc, s.snapshot_id asc;
