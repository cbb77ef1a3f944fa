#!/usr/bin/env bash
# Several instances of the service behind nginx, over a private Postgres and a private Redis: the topology of docker-compose.yml without Docker.
#
# Invariants: everything listens on the loopback only; nginx, Postgres and Redis never run as root; only processes that it started are ended, by
# pid and program. nginx's configuration is deploy/nginx/nginx.conf.template, the one that docker-compose.yml uses.
# Not here: agents and games; tests bring their own.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"

usage() {
    cat >&2 <<'HELP'
usage: cluster.sh COMMAND [INSTANCE]        instances are called a, b, …
  run               build, start all, end all in order on Ctrl-C (make cluster)
  start             start what does not run, wait until it is ready, print nginx's URL; builds nothing
  stop              end all in order; Postgres keeps its data
  status            what runs; exit 0 when everything does
  url               nginx's URL
  env               the path of a file to `source`: CLUSTER_URL, CLUSTER_URL_A …, DATABASE_URL, REDIS_URL, ONELAP_TEST_DATABASE_URL
  pid a             the instance's pid
  kill a            SIGKILL, as a machine that dies
  term a            SIGTERM, and wait for its ordered end
  restart a         the same, start it again, wait until nginx uses it; starts one that was killed
  rolling           restart one after the other
  destroy           stop, and delete the data
  check             what nginx and an instance's end promise, measured on a cluster of its own (cluster-check.mjs)
  test              what rigs and engineers see of it, on a cluster of its own (tests/browser/specs/cluster.spec.ts); builds nothing

CLUSTER            name of the cluster, "cluster"; another runs beside it: cluster-…
CLUSTER_INSTANCES  "a b"; any of a to h
CLUSTER_PORT       nginx's port; else the first free one from 8090 on, kept
CLUSTER_PROFILE    debug (default) or release: which onelap-service of target/
ONELAP_BIN_DIR     a folder to take it from instead
CLUSTER_REDIS      0: without Redis
CLUSTER_LINKS      1: each instance has a link of its own to Redis, which can be cut (fault-proxy, of tests/faults)
CLUSTER_SHORT      1: `test` asks for less, in less than a minute
Other settings of the service (RUST_LOG, SIGNUPS_PER_ADDRESS, …) are taken from the environment at an instance's start.
HELP
    exit 2
}

command=${1:-}
instance=${2:-}
name=${CLUSTER:-cluster}
[[ $name =~ ^cluster(-[a-z0-9]{1,20})?$ ]] || die "CLUSTER is \"$name\": use cluster or cluster-… with a-z and 0-9"

state="$DEV/$name"              # ports, pids, logs; Postgres keeps its own things in the same folder
front="$DEV/nginx-$name"        # nginx's, owned by its user
postgres="$ROOT/deploy/dev/postgres.sh"
redis="$ROOT/deploy/dev/redis.sh"
term_deadline_s=30              # as kill_timeout and stop_grace_period say

program() {
    [ -z "${ONELAP_BIN_DIR:-}" ] || { echo "$ONELAP_BIN_DIR/${1:-onelap-service}"; return; }
    case "${CLUSTER_PROFILE:-debug}" in
        debug | release) echo "${CARGO_TARGET_DIR:-$ROOT/target}/${CLUSTER_PROFILE:-debug}/${1:-onelap-service}" ;;
        *) die "CLUSTER_PROFILE is \"$CLUSTER_PROFILE\": use debug or release" ;;
    esac
}

# What the cluster was started with; before that, what it would be started with.
instances() { cat "$state/instances" 2>/dev/null || echo "${CLUSTER_INSTANCES:-a b}"; }

need_instance() {
    [[ " $(instances) " == *" $instance "* && -n $instance ]] || die "there is no instance \"$instance\": use one of $(instances)"
}

# ---- processes --------------------------------------------------------------------------------------------------------

program_of() {
    if [ -d /proc/self ]; then readlink "/proc/$1/exe" | sed 's/ (deleted)$//'; else ps -p "$1" -o comm=; fi 2>/dev/null
}

# pid_of WHAT: the pid of what we started, if it still is that program. A number in a file may long be another process's.
pid_of() {
    local pid file
    read -r pid file 2>/dev/null <"$state/$1.pid" || return 1
    [ "$(program_of "$pid")" = "$file" ] || return 1
    echo "$pid"
}

# launch WHAT PROGRAM COMMAND…: in the background and in a process group of its own, holding nothing that this script has open. Returns when
# it has become PROGRAM, or is gone.
launch() {
    local what=$1 file pid
    file=$(readlink -f "$2")
    shift 2
    set -m
    (
        for fd in /dev/fd/*; do
            fd=${fd##*/}
            [[ $fd -le 2 ]] || eval "exec $fd>&-"
        done
        if [ "$(type -t "$1")" = function ]; then "$@"; else exec "$@"; fi
    ) </dev/null >>"$state/$what.log" 2>&1 &
    pid=$!
    set +m
    disown
    echo "$pid $file" >"$state/$what.pid"
    until [ "$(program_of "$pid")" = "$file" ] || ! kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
}

# end WHAT SIGNAL: and wait until it is gone; after the deadline, SIGKILL, which is worth a line.
end() {
    local pid waited
    pid=$(pid_of "$1") || return 0
    kill "-$2" "$pid" 2>/dev/null || return 0
    for ((waited = 0; waited < term_deadline_s * 20; waited++)); do
        pid_of "$1" >/dev/null || return 0
        sleep 0.05
    done
    say "$1 ($pid) has not ended $term_deadline_s s after SIG$2: SIGKILL"
    kill -KILL "$pid" 2>/dev/null || true
    while pid_of "$1" >/dev/null; do sleep 0.05; done
}

# fetch PORT PATH: the whole answer, head and body; nothing when there is none within 3 seconds.
fetch() {
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 0
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$2" >&3
    while IFS= read -r -t 3 line <&3; do printf '%s\n' "$line"; done
}

# answers PORT PATH: with 200.
answers() { [[ "$(fetch "$@" 2>/dev/null)" == HTTP/1.1\ 200* ]]; }

wait_ready() {
    local what=$1 port=$2 tries
    for ((tries = 0; tries < 1200; tries++)); do
        if answers "$port" /readyz; then return; fi
        pid_of "$what" >/dev/null || failed "$what ended by itself" "$what"
        sleep 0.05
    done
    failed "$what is not ready after a minute" "$what"
}

# nginx tries an instance that did not answer again a second or two later. Until then the others carry all, and none of them may go.
wait_used() {
    local port tries
    port=$(cat "$state/$1.port")
    pid_of nginx >/dev/null || return 0
    for ((tries = 0; tries < 200; tries++)); do
        answers "$(cat "$state/nginx.port")" /healthz || true
        if [[ "$(fetch "$port" /metrics 2>/dev/null)" == *'route="/healthz"'* ]]; then return; fi
        sleep 0.05
    done
    failed "nginx does not use $1" nginx
}

failed() {
    say "$1; the end of .dev/$name/$2.log:"
    tail -15 "$state/$2.log" >&2
    exit 1
}

# ---- ports ------------------------------------------------------------------------------------------------------------

# Kept from start to start, unless somebody else has taken it meanwhile.
instance_port() {
    if [ -s "$state/$1.port" ]; then
        if pid_of "$1" >/dev/null || port_is_free "$(cat "$state/$1.port")"; then return; fi
    fi
    free_port >"$state/$1.port"
}

front_port() {
    local port=${CLUSTER_PORT:-$(cat "$state/nginx.port" 2>/dev/null || echo 8090)}
    if ! pid_of nginx >/dev/null; then
        if [ -n "${CLUSTER_PORT:-}" ]; then
            port_is_free "$port" || die "CLUSTER_PORT $port is taken"
        else
            until port_is_free "$port"; do port=$((port + 1)); done
        fi
        echo "$port" >"$state/nginx.port"
    fi
}

url() { [ -s "$state/nginx.port" ] || die "there is no cluster .dev/$name yet: cluster.sh start"; echo "http://127.0.0.1:$(cat "$state/nginx.port")"; }

write_env() {
    local each
    {
        cat "$("$postgres" env "$name")"
        [ "${CLUSTER_REDIS:-1}" = 0 ] || printf "export REDIS_URL='%s'\n" "$("$redis" url "$name")"
        printf "export CLUSTER_URL='%s'\n" "$(url)"
        for each in $(instances); do
            printf "export CLUSTER_URL_%s='http://127.0.0.1:%s'\n" "${each^^}" "$(cat "$state/$each.port")"
            ! has_links || printf "export CLUSTER_LINK_%s='%s'\n" "${each^^}" "$(cat "$state/link-$each.control")"
        done
    } | (umask 077 && cat >"$state/cluster.env")
}

has_links() { [ "${CLUSTER_LINKS:-0}" = 1 ] && [ "${CLUSTER_REDIS:-1}" != 0 ]; }

# ---- the parts --------------------------------------------------------------------------------------------------------

# A link to Redis, and the port on which it is told to be honest, silent or reset.
start_link() {
    local what=link-$1 file to
    if pid_of "$what" >/dev/null; then return; fi
    file=$(program fault-proxy)
    [ -x "$file" ] || die "$file is missing: cargo build -p faults"
    to=$("$redis" url "$name")
    to=${to#*@}
    launch "$what" "$file" "$file" "127.0.0.1:$(cat "$state/$what.port")" "${to%/*}" "127.0.0.1:$(cat "$state/$what.control")"
}

start_instance() {
    local what=$1 file
    if pid_of "$what" >/dev/null; then wait_ready "$what" "$(cat "$state/$what.port")"; return; fi
    file=$(program)
    [ -x "$file" ] || die "$file is missing: cargo build, or make cluster"
    (
        unset REDIS_URL
        # shellcheck disable=SC1091
        . "$state/cluster.env"
        export LISTEN PUBLIC_URL JWT_SECRET CLIENT_IP_HEADER=X-Real-IP OTEL_RESOURCE_ATTRIBUTES="service.instance.id=$what"
        ! has_links || REDIS_URL=$(sed -E "s#@[^/]*#@127.0.0.1:$(cat "$state/link-$what.port")#" <<<"$REDIS_URL")
        LISTEN="127.0.0.1:$(cat "$state/$what.port")" PUBLIC_URL=$(url) JWT_SECRET=$(cat "$state/jwt-secret")
        launch "$what" "$file" "$file"
    )
    wait_ready "$what" "$(cat "$state/$what.port")"
}

# The folder of nginx's user; it may be a link, see server_folder.
nginx_run() { readlink -f "$front/run"; }

# The words are replaced as they stand in the template.
# shellcheck disable=SC2016
nginx_conf() {
    local text servers='' each
    for each in $(instances); do servers+="server 127.0.0.1:$(cat "$state/$each.port") max_fails=1 fail_timeout=1s; "; done
    text=$(<deploy/nginx/nginx.conf.template)
    text=${text//'${ONELAP_LISTEN}'/127.0.0.1:$(cat "$state/nginx.port")}
    text=${text//'${ONELAP_INSTANCES}'/$servers}
    text=${text//'${ONELAP_NGINX_TLS}'/$(nginx_run)/tls}
    text=${text//'${ONELAP_NGINX_RUN}'/$(nginx_run)}
    printf '%s\n' "$text"
}

start_nginx() {
    local tries run
    if ! pid_of nginx >/dev/null; then
        server_folder "$front/run"
        run=$(nginx_run)
        nginx_conf | as_server tee "$run/nginx.conf" >/dev/null
        as_server rm -f "$run/nginx.pid"
        # nginx opens /dev/stdout by name, so that its log has to be its own user's file.
        # shellcheck disable=SC2016
        launch nginx-start "$(nginx_program)" as_server sh -c 'exec "$1" -p "$2" -c "$2/nginx.conf" -e stderr >>"$2/nginx.log" 2>&1' sh "$(nginx_program)" "$run"
        ln -sf "$run/nginx.log" "$state/nginx.log"
    fi
    for ((tries = 0; tries < 200; tries++)); do
        if nginx_pid && answers "$(cat "$state/nginx.port")" /readyz; then return; fi
        sleep 0.05
    done
    failed "nginx does not answer" nginx
}

# It goes into the background by itself and then writes its pid.
nginx_pid() {
    local pid
    pid=$(as_server cat "$(nginx_run)/nginx.pid" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] || return 1
    echo "$pid $(readlink -f "$(nginx_program)")" >"$state/nginx.pid"
}

# ---- commands ---------------------------------------------------------------------------------------------------------

start() {
    local each
    mkdir -p "$state"
    with_lock "$name.run"
    deploy/dev/setup.sh postgres nginx >&2 9>&-
    [ ! -s "$state/instances" ] || is_any_running || rm "$state/instances"
    instances >"$state/instances.new" && mv "$state/instances.new" "$state/instances"
    [[ "$(instances)" =~ ^[a-h](\ [a-h])*$ ]] || { rm "$state/instances"; die "CLUSTER_INSTANCES is \"$CLUSTER_INSTANCES\": use letters from a to h with spaces between"; }
    [ -s "$state/jwt-secret" ] || (umask 077 && random_hex 32 >"$state/jwt-secret")
    "$postgres" start "$name" >/dev/null 9>&-
    [ "${CLUSTER_REDIS:-1}" = 0 ] || "$redis" start "$name" >/dev/null 9>&-
    for each in $(instances); do instance_port "$each"; done
    if has_links; then
        for each in $(instances); do
            [ -s "$state/link-$each.port" ] || { free_port >"$state/link-$each.port"; free_port >"$state/link-$each.control"; }
            start_link "$each"
        done
    fi
    front_port
    write_env
    for each in $(instances); do start_instance "$each"; done
    start_nginx
    url
}

# Agents and viewers hear the instances' goodbye through nginx, which therefore ends after them.
stop() {
    local each enders=()
    with_lock "$name.run"
    for each in $(instances); do end "$each" TERM & enders+=($!); done
    [ ${#enders[@]} -eq 0 ] || wait "${enders[@]}"
    for each in $(instances); do end "link-$each" TERM; done
    end nginx TERM
    "$redis" stop "$name" 9>&-
    "$postgres" stop "$name" 9>&-
}

is_any_running() {
    local each
    for each in $(instances) nginx; do if pid_of "$each" >/dev/null; then return; fi; done
    return 1
}

status() {
    local each pid all=0
    for each in $(instances); do
        if ! pid=$(pid_of "$each"); then echo "$each: not running"; all=3
        elif answers "$(cat "$state/$each.port")" /readyz; then echo "$each: ready on port $(cat "$state/$each.port"), pid $pid"
        else echo "$each: not ready, pid $pid"; all=3
        fi
    done
    if pid=$(pid_of nginx); then echo "nginx: $(url), pid $pid"; else echo "nginx: not running"; all=3; fi
    echo "postgres: $("$postgres" status "$name")" || all=3
    [ "${CLUSTER_REDIS:-1}" = 0 ] || echo "redis: $("$redis" status "$name")" || all=3
    return "$all"
}

restart() {
    end "$1" TERM
    start_instance "$1"
    wait_used "$1"
}

run() {
    local each gone='' status release=()
    mkdir -p "$state"
    deploy/dev/setup.sh rust compilers postgres nginx web
    echo "building …"
    npm --prefix web run --silent build >"$state/build.log" 2>&1 || failed "the web app does not build" build
    [ "${CLUSTER_PROFILE:-debug}" != release ] || release=(--release)
    SQLX_OFFLINE=true cargo build --locked -p onelap-service "${release[@]}"
    trap 'status=$?; trap - EXIT; trap "" INT TERM HUP; printf "\nending the cluster …\n"; deploy/dev/cluster.sh stop; [ $status -ne 130 ] || status=0; exit $status' EXIT
    trap 'exit 130' INT TERM HUP
    deploy/dev/cluster.sh start >/dev/null
    cat <<TEXT

  1Lap runs at   $(url)   (instances: $(instances))

  logs: .dev/$name/*.log          deploy/dev/cluster.sh: kill a, restart a, rolling, status          Ctrl-C ends all; the data is kept
TEXT
    while :; do
        for each in $(instances); do
            if pid_of "$each" >/dev/null; then gone=${gone//"$each"/}
            elif [[ $gone != *$each* ]]; then
                gone+=$each
                say "$each has ended (.dev/$name/$each.log); start it again: deploy/dev/cluster.sh restart $each"
            fi
        done
        sleep 1 &
        wait $! || true
    done
}

destroy() {
    stop
    "$redis" destroy "$name" 9>&-
    "$postgres" destroy "$name" 9>&-
    if [ -e "$front" ]; then rm -rf "$(nginx_run)" "$front"; fi
    rm -rf "$state" "$DEV/$name.run.lock"
}

# A new cluster for one run.
start_own() {
    export CLUSTER=$1 POSTGRES_PROFILE=fast
    unset CLUSTER_INSTANCES CLUSTER_PORT CLUSTER_REDIS
    trap 'deploy/dev/cluster.sh destroy' EXIT
    trap 'exit 130' INT TERM HUP
    deploy/dev/cluster.sh start >/dev/null
}

check() {
    export SIGNUPS_PER_ADDRESS=2
    start_own cluster-check
    # shellcheck disable=SC1090
    (. "$DEV/$CLUSTER/cluster.env" && exec node deploy/dev/cluster-check.mjs)
}

# What the instances and nginx said goes with the run's other results.
keep_logs() {
    mkdir -p tests/browser/test-results/cluster-logs
    cp -L "$state"/*.log tests/browser/test-results/cluster-logs/
}

test_it() {
    local status=0
    export CLUSTER_LINKS=1
    start_own cluster-test
    state="$DEV/$CLUSTER"
    # shellcheck disable=SC1090
    (. "$state/cluster.env" && npm --prefix tests/browser test -- cluster.spec.ts) || status=$?
    [ "$status" -eq 0 ] || keep_logs
    return "$status"
}

case "$command" in
    run) run ;;
    start) start ;;
    stop) stop ;;
    status) status ;;
    url) url ;;
    env) [ -s "$state/cluster.env" ] || die "there is no cluster .dev/$name yet: cluster.sh start"; echo "$state/cluster.env" ;;
    pid) need_instance; pid_of "$instance" || die "$instance does not run" ;;
    kill) need_instance; end "$instance" KILL ;;
    term) need_instance; end "$instance" TERM ;;
    restart) need_instance; restart "$instance" ;;
    rolling) for each in $(instances); do restart "$each"; done ;;
    destroy) destroy ;;
    check) check ;;
    test) test_it ;;
    *) usage ;;
esac
