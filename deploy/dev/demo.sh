#!/usr/bin/env bash
# `make demo`: the whole product on this machine. Postgres, the service, a fake game and the shipped agent; Ctrl-C ends all.
#
# Kept in .dev/demo: the database, the logs, and (readable by the owner alone) the team's login and the rig's token, so
# that the next start finds everything again. DEMO_PORT: the first port to try, 8080.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
postgres="$ROOT/deploy/dev/postgres.sh"
state="$DEV/demo"
bin="${CARGO_TARGET_DIR:-$ROOT/target}/debug"

# ---- processes --------------------------------------------------------------------------------------------------------

names=() pids=()

# run NAME PROGRAM [ARGUMENT…]: in the background and in a process group of its own, so that Ctrl-C reaches this script alone, which
# then ends its children in order.
run() {
    local name=$1
    shift
    set -m
    "$@" </dev/null >>"$state/$name.log" 2>&1 8>&- &
    set +m
    names+=("$name")
    pids+=("$!")
    echo "$! $1" >>"$state/pids"
}

# end PID: politely, then not.
end() {
    local waited=0
    kill -TERM "$1" 2>/dev/null || return 0
    while kill -0 "$1" 2>/dev/null; do
        [ $waited -lt 150 ] || { kill -KILL "$1" 2>/dev/null || true; break; }
        sleep 0.1
        waited=$((waited + 1))
    done
}

finish() {
    local status=$? i
    trap - EXIT
    trap '' INT TERM HUP
    [ ${#pids[@]} -eq 0 ] || printf '\nending the demo …\n'
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        end "${pids[i]}"
        wait "${pids[i]}" 2>/dev/null || true
    done
    rm -f "$state/pids"
    [ -z "${shm:-}" ] || rm -rf "$shm" "$state/shm"
    "$postgres" stop demo || true
    [ "$status" -ne 130 ] || status=0
    exit "$status"
}

# A demo that was killed outright leaves its children behind; they are known by pid and program.
end_leftovers() {
    local pid program
    [ -f "$state/pids" ] || return 0
    while read -r pid program; do
        if [ "$(readlink "/proc/$pid/exe" 2>/dev/null | sed 's/ (deleted)$//')" = "$program" ]; then
            say "ending $(basename "$program") ($pid) of an earlier demo"
            end "$pid"
        fi
    done <"$state/pids"
    rm -f "$state/pids"
    if [ -s "$state/shm" ]; then rm -rf "$(cat "$state/shm")"; fi
}

failed() {
    say "$1; the end of .dev/demo/$2.log:"
    tail -15 "$state/$2.log" >&2
    exit 1
}

wait_ready() {
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        kill -0 "${pids[0]}" 2>/dev/null || failed "the service ended" service
        if node -e 'fetch(process.argv[1]).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "http://127.0.0.1:$port/readyz"; then return; fi
        sleep 0.2
    done
    failed "the service is not ready after a minute" service
}

# ---- start ------------------------------------------------------------------------------------------------------------

mkdir -p "$state"
exec 8>"$DEV/demo.run.lock"
if command -v flock >/dev/null; then flock -n 8 || die "a demo of this checkout is already running"; fi
trap finish EXIT
trap 'exit 130' INT TERM HUP

deploy/dev/setup.sh rust compilers postgres web
echo "building …"
npm --prefix web run --silent build >"$state/build.log" 2>&1 || failed "the web app does not build" build
SQLX_OFFLINE=true cargo build --locked --workspace --all-features --bins 8>&-

end_leftovers
"$postgres" start demo >/dev/null 8>&-
# shellcheck disable=SC1090
. "$("$postgres" env demo)"
[ -s "$state/jwt-secret" ] || (umask 077 && random_hex 32 >"$state/jwt-secret")

port=${DEMO_PORT:-8080}
until port_is_free "$port"; do port=$((port + 1)); done
rest_port=$(free_port)
url="http://localhost:$port"
# The game's memory image belongs in memory; the agent is told where, so that a real game on this machine is not disturbed.
if [ -d /dev/shm ]; then shm=$(mktemp -d /dev/shm/onelap-demo.XXXXXX); else shm=$(mktemp -d "$state/shm.XXXXXX"); fi
echo "$shm" >"$state/shm"
for log in service fake-game agent; do : >"$state/$log.log"; done

export RUST_LOG="${RUST_LOG:-info}"
LISTEN="127.0.0.1:$port" PUBLIC_URL="$url" JWT_SECRET="$(cat "$state/jwt-secret")" run service "$bin/onelap-service"
wait_ready
node deploy/dev/demo-team.mjs "http://127.0.0.1:$port" "$url" "$state/login.json" || failed "the demo team could not be made" service
field() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1]))[process.argv[2]]' "$state/login.json" "$1"; }

run fake-game "$bin/fake-game" --lmu-path "$shm/LMU_Data" --rest-port "$rest_port" \
    --session practice --hold-in-garage --script deploy/dev/demo.script
ONELAP_TOKEN="$(field token)" XDG_CONFIG_HOME="$state/agent" XDG_STATE_HOME="$state/agent" run agent "$bin/onelap-agent" run \
    --server "http://127.0.0.1:$port" --lmu-path "$shm/LMU_Data" --lmu-rest-port "$rest_port" --f1 off

cat <<TEXT

  1Lap runs at   $url
  log in with    $(field email)
  password       $(field password)

  logs: .dev/demo/{service,fake-game,agent}.log          Ctrl-C ends the demo; its data is kept
TEXT

# Until Ctrl-C, or until something ends by itself, which is a failure worth showing.
while :; do
    for i in "${!pids[@]}"; do
        kill -0 "${pids[i]}" 2>/dev/null || failed "${names[i]} ended by itself" "${names[i]}"
    done
    sleep 1 &
    wait $! || true
done
