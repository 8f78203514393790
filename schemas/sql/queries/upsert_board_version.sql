-- name: upsert_board_version
-- returns: nothing
-- params: name text, version text
-- used by: streams/stores/boards.py

insert into board_versions (name, version)
values (%(name)s, %(version)s)
on conflict (name) do update
    set
        version = excluded.version,
        made_at = clock_timestamp();
