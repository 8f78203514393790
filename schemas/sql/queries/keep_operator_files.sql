-- name: keep_operator_files
-- returns: nothing
-- params: name text, files jsonb, sha256 bytea, load_id int
-- used by: streams/stores/catalogue.py

-- Files loaded again keep their place.
insert into operator_files (name, files, sha256, load_id)
values (%(name)s, %(files)s, %(sha256)s, %(load_id)s)
on conflict (name) do update
    set
        files = excluded.files,
        sha256 = excluded.sha256,
        loaded_at = clock_timestamp(),
        load_id = excluded.load_id;
