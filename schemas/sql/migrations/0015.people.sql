-- Staff: accounts, sessions, keys of programs, failed sign-ins, and the trail of what was done.
-- Applied once, in one transaction; never edited after merge.

create table people (
    person_id uuid primary key,
    -- Lower case; what is done to alerts names it, so it is never given to anybody else.
    username text collate "C" not null unique check (username ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    name text not null check (name <> ''),
    role text collate "C" not null check (
        role in ('reporter', 'epidemiologist', 'department', 'administrator')
    ),
    -- As events name it after /facilities/; a reporter has one.
    facility text collate "C" check (facility <> ''),
    -- Present codes; empty: every area.
    area_codes text[] collate "C" not null default '{}',
    language text collate "C" not null default 'vi' check (language in ('vi', 'en')),
    -- argon2id, PHC string; null: no password.
    password_hash text check (password_hash like '$argon2id$%'),
    must_change_password boolean not null default false,
    -- Base32; null: no second factor.
    totp_secret text,
    -- The last time step of 30 s whose code was used: no code is good twice.
    totp_step bigint not null default -1,
    oidc_subject text collate "C" unique,
    is_disabled boolean not null default false,
    created_at timestamptz not null default clock_timestamp(),
    -- About when the account was last used.
    last_seen_at timestamptz,
    check (role <> 'reporter' or facility is not null)
);

-- What replaces the second factor once each; SHA-256 of random codes.
create table recovery_codes (
    person_id uuid not null references people (person_id),
    code_hash bytea not null,
    primary key (person_id, code_hash)
);

create table staff_sessions (
    -- SHA-256 of the random token in the cookie.
    token_hash bytea primary key,
    person_id uuid not null references people (person_id),
    -- The password was right, the second factor is still to come: may do nothing else.
    is_waiting_for_code boolean not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null
);

create index staff_sessions_person_idx on staff_sessions (person_id);

create table api_keys (
    key_id uuid primary key,
    -- SHA-256 of the random key.
    key_hash bytea not null unique,
    name text not null check (name <> ''),
    role text collate "C" not null check (
        role in ('reporter', 'epidemiologist', 'department', 'administrator')
    ),
    facility text collate "C" check (facility <> ''),
    area_codes text[] collate "C" not null default '{}',
    -- Names of routes; null: everything that the role may.
    endpoints text[] collate "C",
    expires_at timestamptz not null,
    created_at timestamptz not null,
    created_by text not null,
    revoked_at timestamptz,
    -- To the hour.
    last_used_at timestamptz,
    check (role <> 'reporter' or facility is not null)
);

create table sign_in_failures (
    -- SHA-256 of the name that was typed: people type passwords there, too.
    account_hash bytea not null,
    address text collate "C" not null,
    at timestamptz not null
);

create index sign_in_failures_account_idx on sign_in_failures (account_hash, at);
create index sign_in_failures_address_idx on sign_in_failures (address, at);

create table staff_actions (
    action_id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    -- Null: nobody who had signed in, a program of this machine, or the command line.
    person_id uuid,
    username text not null,
    action text collate "C" not null check (action <> ''),
    target text not null,
    address text not null,
    detail jsonb not null
);

create index staff_actions_at_idx on staff_actions (at desc);

-- The trail grows and nothing else, whoever asks.
create function refuse_change_of_trail() returns trigger language plpgsql as $$
begin
    raise exception 'staff_actions is a trail: rows are added, never changed or removed'
        using errcode = 'insufficient_privilege';
end
$$;

create trigger staff_actions_stay
before update or delete or truncate on staff_actions
for each statement execute function refuse_change_of_trail();
