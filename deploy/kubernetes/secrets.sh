#!/bin/sh
# Makes the secrets that the cluster cannot make itself, once; what is there stays. Usage: secrets.sh [NAMESPACE]
# SMTP_PASSWORD and HEARTBEAT_URL are taken from the environment. Kafka's passwords are Strimzi's, certificates the
# operators'. Where secrets come from a vault, make the same names and keys there instead.
set -eu

namespace=${1:-canhdich}
kube() { kubectl --namespace "$namespace" "$@"; }
random() { openssl rand -hex 24; }
there() { kube get secret "$1" >/dev/null 2>&1; }

kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace"
for service in intake worker watcher notifier monitor operator report backup grafana; do
    if ! there "database-$service"; then
        password=$(random)
        kube create secret generic "database-$service" --type=kubernetes.io/basic-auth \
            --from-literal=username="canhdich_$service" --from-literal=password="$password" \
            --from-literal=database_url="postgresql://canhdich_$service:$password@canhdich-database-rw:5432/canhdich"
    fi
done
if ! there canhdich-messages; then
    kube create secret generic canhdich-messages --from-literal=smtp_password="${SMTP_PASSWORD:-not set}" \
        --from-literal=webhook_secret="$(random)" --from-literal=heartbeat_url="${HEARTBEAT_URL:-}"
fi
there canhdich-monitor-key || kube create secret generic canhdich-monitor-key --from-literal=intake_key="cd_$(random)"
