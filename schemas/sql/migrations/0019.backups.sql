-- Backups that were made: how old the newest one is, is watched. The backups themselves are files elsewhere.
-- Applied once, in one transaction; never edited after merge.

create table backups (
    -- When the view of the database was taken that the backup holds.
    made_at timestamptz primary key,
    finished_at timestamptz not null default clock_timestamp(),
    -- Where it was put.
    folder text not null,
    bytes bigint not null check (bytes > 0),
    encrypted_by text collate "C"
);
