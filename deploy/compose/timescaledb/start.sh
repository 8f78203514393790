#!/bin/sh
# Starts TimescaleDB in its container with TLS. PostgreSQL wants a key file of its own that nobody else can read,
# and a mounted secret is none: it is copied into memory first.
set -eu

secrets=${CANHDICH_POSTGRES_SECRETS:-/run/secrets}
for name in timescaledb_certificate timescaledb_key postgres_password owner_password; do
    if [ ! -s "$secrets/$name" ]; then
        echo "TimescaleDB is not started: the secret $name is missing or empty. Run deploy/compose/prepare.sh." >&2
        exit 2
    fi
done
install -m 0600 "$secrets/timescaledb_key" /tmp/timescaledb.key

exec docker-entrypoint.sh postgres \
    -c config_file=/etc/canhdich/postgresql.conf \
    -c hba_file=/etc/canhdich/pg_hba.conf \
    -c ssl_key_file=/tmp/timescaledb.key \
    -c ssl_cert_file="$secrets/timescaledb_certificate"
