#!/usr/bin/env bash
# A private Redis for development and tests, beside the private Postgres: its own port, password and log under .dev/redis-<name>/.
#
# Invariants: it never runs as root; it listens on the loopback only; it keeps nothing on disk; it touches no server but its own;
# `start` and `stop` may be called at any time and in any order, and return although their output is a pipe.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat >&2 <<'HELP'
usage: redis.sh COMMAND [NAME]        NAME is "dev" unless given
  start     start it if it does not run; prints its URL
  stop      stop it (what it held is gone)
  kill      SIGKILL, as a machine that dies
  status    says whether it runs; exit 0 when it does
  url       prints its URL
  ask       NAME WORD…: what redis-cli answers
  destroy   stop it and delete its folder
HELP
    exit 2
}

command=${1:-}
name=${2:-dev}
[ $# -le 2 ] || [ "$command" = ask ] || usage
[[ $name =~ ^[a-z][a-z0-9-]{0,30}$ ]] || die "server name \"$name\": use a-z, 0-9 and -, starting with a letter"

dir="$DEV/redis-$name"   # password and port, ours
run="$dir/run"           # configuration, pid and log, the server's; may be a link, see server_folder

# ---- the server's process ---------------------------------------------------------------------------------------------

# The server's user may be unable to follow the link.
real() { readlink -f "$run" || echo "$run"; }

port() { cat "$dir/port"; }

url() { echo "redis://:$(cat "$dir/password")@127.0.0.1:$(port)/0"; }

command_line() {
    if [ -d /proc/self ]; then tr '\0' ' ' <"/proc/$1/cmdline"; else ps -ww -p "$1" -o args=; fi 2>/dev/null
}

# Prints the pid of our server. The number in the file may long be another process's: Redis titles its process with its address.
server_pid() {
    local pid
    [ -s "$dir/port" ] && pid=$(as_server head -1 "$(real)/pid" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] || return 1
    [[ "$(command_line "$pid")" == *redis-server*127.0.0.1:"$(port)"* ]] || return 1
    echo "$pid"
}

# A password in an argument would be everybody's to read.
ping_server() {
    local limit=()
    ! command -v timeout >/dev/null || limit=(timeout 2)
    [ "$(REDISCLI_AUTH="$(cat "$dir/password")" ${limit[@]+"${limit[@]}"} redis-cli -h 127.0.0.1 -p "$(port)" ping </dev/null 2>/dev/null)" = PONG ]
}

is_running() { server_pid >/dev/null && ping_server; }

# ---- start and stop ---------------------------------------------------------------------------------------------------

write_conf() {
    as_server rm -f "$(real)/pid" "$(real)/log" "$(real)/redis.conf"
    cat <<CONF | (umask 077 && as_server tee "$(real)/redis.conf" >/dev/null)
bind 127.0.0.1
port $(port)
requirepass $(cat "$dir/password")
dir "$(real)"
pidfile "$(real)/pid"
logfile "$(real)/log"
daemonize yes
supervised no
databases 1
save ""
appendonly no
maxmemory 128mb
maxmemory-policy noeviction
CONF
}

# The server outlives this script: it must not hold any descriptor that the script inherited, such as the pipe into which a caller
# writes our output, or our own lock.
launch() {
    (
        for fd in /dev/fd/*; do
            fd=${fd##*/}
            [[ $fd -le 2 ]] || eval "exec $fd>&-"
        done 2>/dev/null
        as_server redis-server "$(real)/redis.conf"
    ) </dev/null >"$dir/launch.log" 2>&1
}

# Redis goes into the background before it binds; what became of it is seen by asking, and in its log.
came_up() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        if is_running; then return; fi
        if as_server grep -qi 'could not create\|failed listening\|fatal' "$(real)/log" 2>/dev/null; then return 1; fi
        sleep 0.1
    done
    return 1
}

start_server() {
    local attempt
    for attempt in 1 2 3 4 5; do
        if [ "$attempt" -gt 1 ] || ! port_is_free "$(port)"; then
            free_port >"$dir/port"
            say "the port of .dev/redis-$name is taken; it moves to $(port)"
        fi
        write_conf
        if launch && came_up; then return; fi
        as_server grep -qi 'could not create\|failed listening' "$(real)/log" 2>/dev/null || break
    done
    end_server
    cat "$dir/launch.log" >&2
    as_server tail -20 "$(real)/log" >&2 || true
    die "Redis did not start; its log: $(real)/log"
}

end_server() {
    local pid waited
    pid=$(server_pid) || return 0
    as_server kill -TERM "$pid" 2>/dev/null || return 0
    for ((waited = 0; waited < 100; waited++)); do
        server_pid >/dev/null || return 0
        sleep 0.1
    done
    as_server kill -KILL "$pid" 2>/dev/null || true
}

# ---- commands ---------------------------------------------------------------------------------------------------------

start() {
    with_lock "redis-$name"
    "$ROOT/deploy/dev/setup.sh" redis >&2 9>&-
    server_folder "$run"
    [ -s "$dir/password" ] || (umask 077 && random_hex 24 >"$dir/password")
    [ -s "$dir/port" ] || free_port >"$dir/port"
    # One that is there and does not answer is ended first.
    is_running || { end_server; start_server; }
    url
}

stop() {
    [ -e "$run" ] || return 0
    with_lock "redis-$name"
    end_server
}

kill_server() {
    local pid
    pid=$(server_pid) || return 0
    as_server kill -KILL "$pid"
    while server_pid >/dev/null; do sleep 0.02; done
}

ask() {
    REDISCLI_AUTH="$(cat "$dir/password")" redis-cli -h 127.0.0.1 -p "$(port)" "$@" </dev/null
}

destroy() {
    stop
    rm -rf "$(real)" "$dir" "$DEV/redis-$name.lock"
}

case "$command" in
    start) start ;;
    stop) stop ;;
    kill) kill_server ;;
    status) if is_running; then echo "running on port $(port)"; else echo "not running"; exit 3; fi ;;
    url) [ -s "$dir/port" ] || die "there is no server .dev/redis-$name yet; create it with: deploy/dev/redis.sh start $name"; url ;;
    ask) ask "${@:3}" ;;
    destroy) destroy ;;
    *) usage ;;
esac
