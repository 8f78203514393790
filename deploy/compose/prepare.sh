#!/bin/sh
# Makes what docker-compose.yml needs and nobody should choose by hand: passwords, an internal certificate
# authority, certificates. Usage: deploy/compose/prepare.sh [FOLDER], by default ./secrets. What is there stays.
set -eu
umask 077

here=$(dirname -- "$0")
folder=${1:-secrets}
if ! command -v openssl >/dev/null; then
    echo "openssl is missing: apt-get install openssl" >&2
    exit 3
fi
env_file=${CANHDICH_ENV_FILE:-.env}
if [ ! -f "$env_file" ]; then
    echo "$env_file is missing: cp .env.example .env, and put in the names of this installation." >&2
    exit 2
fi
value_of() { sed -n "s/^$1=//p" "$env_file" | tail -n 1; }
domain=$(value_of CANHDICH_DOMAIN)
boards=$(value_of CANHDICH_BOARDS_DOMAIN)
if [ -z "$domain" ] || [ -z "$boards" ]; then
    echo "CANHDICH_DOMAIN and CANHDICH_BOARDS_DOMAIN must be set in $env_file: the names that people type." >&2
    exit 2
fi

mkdir -p "$folder"
# Containers run as other users than the one who owns these files: the folder keeps everybody else out.
chmod 0700 "$folder"
keep() { # name: standard input becomes the file, readable by whoever is given it
    cat >"$folder/$1.part"
    chmod 0444 "$folder/$1.part"
    mv "$folder/$1.part" "$folder/$1"
}
password() { if [ ! -s "$folder/$1" ]; then openssl rand -hex 24 | tr -d '\n' | keep "$1"; fi; }

while read -r name; do
    case $name in "" | "#"*) continue ;; esac
    password "$name"
done <"$here/passwords.txt"
# The address of an outside watchdog is a secret, too; there need not be one.
[ -e "$folder/heartbeat_url" ] || keep heartbeat_url </dev/null
if [ ! -s "$folder/intake_key" ]; then
    printf 'cd_%s' "$(openssl rand -hex 24)" | keep intake_key
fi

host=timescaledb:5432
options="sslmode=verify-full&sslrootcert=/run/secrets/internal_ca"
url() { # name of the secret, login, file of its password
    printf 'postgresql://%s:%s@%s/canhdich?%s' "$2" "$(cat "$folder/$3")" "$host" "$options" | keep "$1"
}
url database_url_migrate canhdich owner_password
for file in "$folder"/database_password_*; do
    service=${file##*/database_password_}
    url "database_url_$service" "canhdich_$service" "${file##*/}"
done

if [ ! -s "$folder/internal_ca" ]; then
    openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=Canh Dich internal CA" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout "$folder/internal_ca_key.pem" -out "$folder/internal_ca.new" 2>/dev/null
    chmod 0400 "$folder/internal_ca_key.pem"
    keep internal_ca <"$folder/internal_ca.new"
    rm "$folder/internal_ca.new"
    # What the old authority had signed is worth nothing now.
    rm -f "$folder/kafka_tls" "$folder/timescaledb_key" "$folder/caddy_key"
fi
certificate() { # short name, names: writes $folder/$1.key and $folder/$1.crt
    openssl req -newkey rsa:2048 -nodes -subj "/CN=${2%%,*}" -keyout "$folder/$1.key" -out "$folder/$1.csr" 2>/dev/null
    names=$(printf '%s' "$2" | sed 's/^/DNS:/; s/,/,DNS:/g')
    printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' "$names" >"$folder/$1.ext"
    openssl x509 -req -in "$folder/$1.csr" -CA "$folder/internal_ca" -CAkey "$folder/internal_ca_key.pem" \
        -set_serial "0x$(openssl rand -hex 16)" -days 825 -extfile "$folder/$1.ext" -out "$folder/$1.crt" 2>/dev/null
    rm "$folder/$1.csr" "$folder/$1.ext"
}
if [ ! -s "$folder/kafka_tls" ]; then
    certificate kafka kafka,localhost
    cat "$folder/kafka.key" "$folder/kafka.crt" | keep kafka_tls
    rm "$folder/kafka.key" "$folder/kafka.crt"
fi
for service in timescaledb caddy; do
    if [ ! -s "$folder/${service}_key" ]; then
        case $service in caddy) names=$domain,$boards ;; *) names=$service,localhost ;; esac
        certificate "$service" "$names"
        keep "${service}_certificate" <"$folder/$service.crt"
        keep "${service}_key" <"$folder/$service.key"
        rm "$folder/$service.key" "$folder/$service.crt"
    fi
done

backups=$(value_of CANHDICH_BACKUPS)
if [ -n "$backups" ] && [ ! -e "$backups" ]; then
    mkdir -p "$backups"
    chown 10001:10001 "$backups" 2>/dev/null || echo "As root: chown 10001:10001 $backups"
fi

echo "Secrets and certificates are in $folder. Keep $folder/internal_ca_key.pem off this machine;"
echo "give $folder/internal_ca to the browsers of your network (docs/deployment.md)."
for name in smtp_password grafana_webhook_token; do
    if [ ! -s "$folder/$name" ]; then
        printf 'not set' | keep "$name"
        echo "Put the real one into $folder/$name: $name (until then it says: not set)."
    fi
done
