#!/bin/sh
# Run by the image once, on an empty data directory: the owner, and one login per service with its password.
# What each may do is granted by `canhdich migrate` from schemas/rights/database.yaml.
set -eu

secrets=${CANHDICH_POSTGRES_SECRETS:-/run/secrets}
create() { # name, file of the password, more options
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$POSTGRES_DB" --username "$POSTGRES_USER" \
        --set name="$1" --set password="$(cat "$2")" <<SQL
create role :"name" login connection limit 40 password :'password' ${3:-};
SQL
}
# createrole: `migrate` makes the boards' logins.
create canhdich "$secrets/owner_password" createrole
for file in "$secrets"/database_password_*; do
    create "canhdich_${file##*/database_password_}" "$file"
done
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$POSTGRES_DB" --username "$POSTGRES_USER" <<'SQL'
create extension if not exists timescaledb;
alter database canhdich owner to canhdich;
alter schema public owner to canhdich;
SQL
