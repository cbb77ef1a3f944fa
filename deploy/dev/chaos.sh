#!/usr/bin/env bash
# `make chaos`: kills, stops and lying links between all parts, and the question whether anything was lost.
#
#   chaos.sh [ARGUMENT…]         builds, then one run on servers of its own; arguments go to the program (chaos --help)
#   chaos.sh proof [ARGUMENT…]   builds that are wrong on purpose (make chaos-proof): the run must find each of them
#
# CHAOS_SECONDS   how long faults go on (600); starting, draining and judging take half a minute more
# CHAOS_SEED      which faults, and when; printed
# CHAOS_BIN       a folder of executables to take instead of building
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"

state="$DEV/chaos"
name=chaos-$$
folder="$state/$$"
memory=
program=

stop_servers() {
    local of=$1
    "$ROOT/deploy/dev/postgres.sh" destroy "$of" || true
    "$ROOT/deploy/dev/redis.sh" destroy "$of" || true
}

finish() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    if [ -n "$program" ] && kill -TERM "$program" 2>/dev/null; then wait "$program" 2>/dev/null || true; fi
    stop_servers "$name" 2>/dev/null
    [ -z "$memory" ] || rm -rf "$memory"
    if [ "$status" -eq 0 ]; then rm -rf "$folder"; elif [ -d "$folder" ]; then say "logs and spools: $folder"; fi
    rm -f "$folder.memory"
    exit "$status"
}

# A run that was killed outright leaves its servers behind; their name says whose they were.
end_leftovers() {
    local dir pid
    for dir in "$DEV"/chaos-*; do
        pid=${dir##*-}
        if [ -d "$dir" ] && [[ $pid =~ ^[0-9]+$ ]] && ! kill -0 "$pid" 2>/dev/null; then
            say "ending what the run $pid left behind"
            stop_servers "chaos-$pid"
            [ ! -s "$state/$pid.memory" ] || rm -rf "$(cat "$state/$pid.memory")"
        fi
    done
}

# run BIN [ARGUMENT…]: the harness in a process group of its own, so that Ctrl-C reaches this script alone.
run() {
    local bin=$1
    shift
    mkdir -p "$folder"
    set -m
    "$harness" --bin "$bin" --folder "$folder" --memory "$memory" --root "$ROOT" --name "$name" "$@" </dev/null &
    set +m
    program=$!
    local status=0
    wait "$program" || status=$?
    program=
    return "$status"
}

command -v setpriv >/dev/null || die "setpriv (util-linux) is missing: the chaos run needs Linux"
mode=run
if [ "${1:-}" = proof ]; then mode=proof; shift; fi

deploy/dev/setup.sh rust compilers postgres redis
bin=${CHAOS_BIN:-}
if [ -z "$bin" ]; then
    # The same packages and features as in `make test`, so that nothing is built twice.
    SQLX_OFFLINE=true cargo build --locked --workspace --all-features --bins
    bin="${CARGO_TARGET_DIR:-$ROOT/target}/debug"
fi
harness=${CHAOS_HARNESS:-$bin/chaos}

mkdir -p "$state"
end_leftovers
trap finish EXIT
trap 'exit 130' INT TERM HUP
if [ -d /dev/shm ]; then memory=$(mktemp -d /dev/shm/onelap-chaos.XXXXXX); else memory=$(mktemp -d); fi
echo "$memory" >"$folder.memory"

if [ "$mode" = run ]; then
    run "$bin" "$@"
    exit
fi

# ---- proof ------------------------------------------------------------------------------------------------------------

wrong="$DEV/chaos-proof"
# A plan in which the service is killed while it holds what is not committed.
seed=${CHAOS_SEED:-20}
say "building service and agent wrong on purpose, into .dev/chaos-proof (some minutes the first time)"
SQLX_OFFLINE=true RUSTFLAGS="--cfg onelap_chaos_ack_before_commit --cfg onelap_chaos_delete_before_ack" \
    cargo build --quiet --locked --target-dir "$wrong/target" --config 'profile.dev.package."*".opt-level=0' \
    -p onelap-service -p onelap-agent --bins

# prove WHAT PROGRAM: a run with this program wrong and the others right must be judged, and judged bad.
prove() {
    local what=$1 part=$2 status=0
    rm -rf "${wrong:?}/bin" "$folder"
    mkdir -p "$wrong/bin"
    cp "$bin/onelap-service" "$bin/onelap-agent" "$bin/fake-game" "$wrong/bin/"
    cp -f "$wrong/target/debug/$part" "$wrong/bin/$part"
    printf '\n== %s\n' "$what"
    run "$wrong/bin" --seconds "${CHAOS_SECONDS:-60}" --seed "$seed" "${@:3}" | tee "$wrong/$part.log" || status=$?
    [ "$status" -eq 1 ] || die "$what: the run ended with $status instead of finding it"
    grep -q -- '  <--$' "$wrong/$part.log" || die "$what: the checker found nothing in what is stored"
    stop_servers "$name"
}

prove "a service that acknowledges before it commits" onelap-service "$@"
prove "an agent that deletes before it is acknowledged" onelap-agent "$@"
printf '\nboth were found:\n'
for part in onelap-service onelap-agent; do
    printf '%s\n' "  $part"
    grep -E -- '  <--$|^acknowledged before' "$wrong/$part.log" | head -6 | sed 's/^/    /'
done
