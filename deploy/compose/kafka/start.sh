#!/bin/sh
# Starts Kafka in its container: formats the storage once, with the users of Kafka, then runs the broker.
# A password that changes later is changed with kafka-configs.sh (docs/deployment.md): the format is done once.
set -eu

here=$(dirname -- "$0")
libs=${CANHDICH_KAFKA_LIBS:-/opt/kafka/libs}
data=${CANHDICH_KAFKA_DATA:-/var/lib/kafka/data}
secrets=${CANHDICH_KAFKA_SECRETS:-/run/secrets}
scratch=${CANHDICH_KAFKA_SCRATCH:-/tmp}
host=${CANHDICH_KAFKA_HOST:-kafka}
port=${CANHDICH_KAFKA_PORT:-9092}
controller_port=${CANHDICH_KAFKA_CONTROLLER_PORT:-9093}

for name in internal_ca kafka_tls kafka_password_admin; do
    if [ ! -s "$secrets/$name" ]; then
        echo "Kafka is not started: the secret $name is missing or empty. Run deploy/compose/prepare.sh." >&2
        exit 2
    fi
done

properties=$scratch/server.properties
sed -e "s|@DATA@|$data|" -e "s|@SECRETS@|$secrets|g" -e "s|@HOST@|$host|" -e "s|@PORT@|$port|" \
    -e "s|@CONTROLLER_PORT@|$controller_port|" "$here/server.properties" >"$properties"

if [ ! -e "$data/meta.properties" ]; then
    # 16 bytes as Kafka writes them; its tools would take a dash at the beginning for an option.
    cluster_id=$(head -c 16 /dev/urandom | base64 | tr '+/' '_-' | sed 's/^-/_/; s/=*$//')
    set --
    for file in "$secrets"/kafka_password_*; do
        user=canhdich-${file##*/kafka_password_}
        set -- "$@" --add-scram "SCRAM-SHA-512=[name=$user,password=$(cat "$file")]"
    done
    # What it prints are the users' keys: not for a log.
    java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.configurationFile="$here/log4j2.properties" \
        -cp "$libs/*" kafka.tools.StorageTool format --cluster-id="$cluster_id" --config "$properties" "$@" >/dev/null
fi

exec java -Xms256m -Xmx"${CANHDICH_KAFKA_HEAP:-768m}" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
    -Djava.awt.headless=true -Dlog4j2.configurationFile="$here/log4j2.properties" \
    -cp "$libs/*" kafka.Kafka "$properties"
