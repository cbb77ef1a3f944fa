#!/usr/bin/env bash
# Calls every route of the API's description with everything that the description allows and much that it does not:
# schemathesis.sh [EXAMPLES]      requests per route and run, 30 unless given; `make api-fuzz`.
#
# A service of its own on a database of its own, called three times: by nobody, by a team's owner, by the operator. Fails on
# any answer of 500 or more, on any status, header or body that the description does not name, and on a route that lets in
# who has no credential. (What needs no person and no team is described, and called, as such.)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"

examples=${1:-30}
[[ $examples =~ ^[0-9]+$ ]] || die "\"$examples\" is not a number of requests"
cluster=${POSTGRES_CLUSTER:-test}
version=${SCHEMATHESIS_VERSION:-4.32.5}
tools="$DEV/schemathesis"
work="$DEV/schemathesis.$$"
database="schemathesis_$$"
postgres="$ROOT/deploy/dev/postgres.sh"
mkdir -p "$work"

if ! "$tools/bin/schemathesis" --version 2>/dev/null | grep -qF "$version"; then
    say "installing schemathesis $version into .dev/schemathesis"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet "schemathesis==$version"
fi

was_running=yes
"$postgres" status "$cluster" >/dev/null || was_running=
"$postgres" start "$cluster" >/dev/null
service_pid=
cleanup() {
    if [ -n "$service_pid" ]; then
        kill "$service_pid" 2>/dev/null || true
        wait "$service_pid" 2>/dev/null || true
    fi
    "$postgres" psql "$cluster" -X -q -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" || true
    [ -n "$was_running" ] || "$postgres" stop "$cluster"
    rm -rf "$work"
}
trap cleanup EXIT
"$postgres" psql "$cluster" -X -q -c "CREATE DATABASE $database"
url=$("$postgres" url "$cluster")

SQLX_OFFLINE="${SQLX_OFFLINE:-true}" cargo build --quiet --locked -p onelap-service
port=$(free_port)
origin="http://127.0.0.1:$port"
operator=$(random_hex 24)
# Nothing is throttled: every request comes from an address of its own.
DATABASE_URL="${url%/*}/$database" JWT_SECRET=$(random_hex 32) LISTEN="127.0.0.1:$port" PUBLIC_URL="$origin" RUST_LOG=warn \
    SIGNUPS_PER_ADDRESS=1000000 FAILED_LOGINS_PER_ADDRESS=1000000 FAILED_LOGINS_PER_ACCOUNT=1000000 \
    OPERATOR_TOKEN_SHA256=$(printf %s "$operator" | sha256sum | cut -d' ' -f1) \
    target/debug/onelap-service >"$work/service.log" 2>&1 &
service_pid=$!
for _ in $(seq 100); do
    curl -fsS "$origin/readyz" >/dev/null 2>&1 && break
    kill -0 "$service_pid" 2>/dev/null || { cat "$work/service.log" >&2; die "the service did not start"; }
    sleep 0.1
done

sign_up() {
    curl -fsS -c "$work/cookies" -H "Origin: $origin" -H 'Content-Type: application/json' "$origin/api/auth/signup" \
        -d '{"email":"fuzz@example.org","password":"correct horse battery","name":"Fuzz","team_name":"fuzz"}'
}
team=$(sign_up | sed -E 's/.*"teams":\[\{"id":"([^"]+)".*/\1/')
cookie=$(awk '/onelap_access/ { print $6 "=" $7 }' "$work/cookies")

# Parameters that a random value would never hit.
cat >"$work/schemathesis.toml" <<TOML
[parameters]
"path.team" = "$team"
TOML

# Not among the checks: whether every value that its schema allows is taken, and no other. Names, ids, codes and passwords have
# rules that a schema cannot say, and parameters that a route does not know are passed over.
beyond_schemas=positive_data_acceptance,negative_data_rejection
cd "$work"
run() {
    local who=$1 excluded=$2
    shift 2
    say "as $who"
    "$tools/bin/schemathesis" --config-file schemathesis.toml run "$ROOT/service/openapi.json" --url "$origin" \
        --header "Origin: $origin" --max-examples "$examples" --max-time "${API_FUZZ_SECONDS:-180}" --seed 1 --workers 1 \
        --phases examples,coverage,fuzzing --checks all --exclude-checks "$excluded" --suppress-health-check all --no-color "$@" \
        >"$who.log" 2>&1 && return
    cat "$who.log"
    failed=1
}
failed=
# Deleting the account and logging out would end the run for who is logged in.
run nobody "$beyond_schemas" --exclude-path-regex '^/metrics$'
run owner "$beyond_schemas,ignored_auth" --header "Cookie: $cookie" --exclude-path-regex '^/(metrics$|api/(auth|me|operator|shares)/?)' \
    --exclude-operation-id leave_team
run operator "$beyond_schemas,ignored_auth" --header "Authorization: Bearer $operator" --include-path-regex '^/api/operator'
grep -E ' (ERROR|WARN)' "$work/service.log" | head -20 >&2 || true
[ -z "$failed" ] || die "the API did what its description does not say"
