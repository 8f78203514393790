-- name: insert_backup
-- returns: nothing
-- params: made_at timestamptz, folder text, bytes bigint, encrypted_by text
-- used by: streams/stores/backups.py

insert into backups (made_at, folder, bytes, encrypted_by)
values (%(made_at)s, %(folder)s, %(bytes)s, %(encrypted_by)s)
on conflict (made_at) do nothing;
