#!/usr/bin/env bash
# `make bench`: the benchmarks behind docs/performance.md and the README's figures. Release builds, a durable Postgres and a Redis
# of their own, and the servers that the service stands beside.
#
# make bench                            everything; the tables go into docs/performance.md
# make bench BENCH_SECONDS=5 BENCH_ROUNDS=1 ARGS='standard --only fanout'
# BENCH_REALTIME=1 make bench           on a machine that others use as well; needs root
# make bench ARGS=offline               an hour without the service, and catching up: some six minutes; --minutes 3 for two
# make bench ARGS='viewers --help'      one kind of run; `load --help` lists them
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
postgres=deploy/dev/postgres.sh redis=deploy/dev/redis.sh
peers=tests/load/peers venv="$DEV/bench-peers"

# What peers are made of, exactly as pinned, and only when that has changed. npm's and pip's own caches are used.
install_peers() {
    local stamp
    stamp="$(node --version) $(cat $peers/package-lock.json $peers/requirements.txt | cksum)"
    [ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ] || return 0
    say "installing the servers to stand beside: socket.io, Flask-SocketIO"
    (cd $peers && npm ci --no-audit --no-fund --loglevel=error >/dev/null)
    command -v python3 >/dev/null && python3 -c 'import ensurepip' 2>/dev/null || {
        can_apt || die "Python 3 with venv is missing: install python3 and python3-venv"
        apt_install python3 python3-venv
    }
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r $peers/requirements.txt
    echo "$stamp" >"$venv/stamp"
}

deploy/dev/setup.sh rust compilers postgres redis web
npm --prefix web run --silent build
SQLX_OFFLINE=true cargo build --quiet --locked --release -p onelap-service -p load
install_peers

# A viewer is an open file at both ends.
ulimit -n "$(ulimit -Hn)"
files=$(ulimit -n)
[ "$files" = unlimited ] || [ "$files" -ge 10500 ] || die "10,000 viewers need 10,500 open files; this shell may open $files: ulimit -Hn, or /etc/security/limits.conf"

trap '"$postgres" stop bench; "$redis" stop bench' EXIT
"$postgres" start bench >/dev/null
# shellcheck disable=SC1090
. "$("$postgres" env bench)"
ONELAP_TEST_REDIS_URL=$("$redis" start bench)
export ONELAP_TEST_REDIS_URL

# Servers are started by it and run as it does.
load=(target/release/load)
[ -z "${BENCH_REALTIME:-}" ] || load=(chrt -r 10 "${load[@]}")

if [ $# -gt 0 ]; then
    "${load[@]}" "$@"
else
    "${load[@]}" codec
    "${load[@]}" spool
    "${load[@]}" offline --write docs/performance.md --json "$DEV/bench-offline.json"
    "${load[@]}" standard --write docs/performance.md --json "$DEV/bench.json"
fi
