#!/bin/sh
# Starts Grafana only when everything that its files refer to is there: it would take an unset variable for an
# empty password and say nothing. Usage: start.sh [COMMAND ...], by default /run.sh of Grafana's image.
set -eu

folder=${CANHDICH_GRAFANA_FILES:-/etc/grafana}
files=$(find "$folder/grafana.ini" "$folder/provisioning" -type f | sort)
missing=""

for name in $(cat $files | grep -v '^ *[#;]' | grep -oE '\$(__env)?\{CANHDICH_[A-Z_]+\}' | sed -E 's/.*\{(.*)\}/\1/' | sort -u); do
    eval "value=\${$name:-}"
    if [ -z "$value" ]; then
        missing="$missing
  the variable $name is not set"
    fi
done

for path in $(cat $files | grep -v '^ *[#;]' | grep -oE '\$__file\{[^}]+\}' | sed -E 's/.*\{(.*)\}/\1/' | sort -u); do
    if [ ! -s "${CANHDICH_GRAFANA_SECRETS_ROOT:-}$path" ]; then
        missing="$missing
  the file $path is missing or empty"
    fi
done

if [ -n "$missing" ]; then
    echo "Grafana is not started:$missing
docs/boards.md says what each is for." >&2
    exit 2
fi

if [ "$#" -eq 0 ]; then
    set -- /run.sh
fi
exec "$@"
