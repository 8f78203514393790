-- name: insert_snapshot
-- returns: nothing
-- params: snapshot_id uuid, label text, kind text, load_id int, positions jsonb, settings jsonb, document text, sha256 bytea
-- used by: streams/stores/snapshots.py

insert into snapshots (snapshot_id, taken_at, label, kind, load_id, positions, settings, document, sha256)
values (
    %(snapshot_id)s,
    clock_timestamp(),
    %(label)s,
    %(kind)s,
    %(load_id)s,
    %(positions)s,
    %(settings)s,
    %(document)s,
    %(sha256)s
);
