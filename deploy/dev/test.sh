#!/usr/bin/env bash
# Every test of the project, cheapest failures first; `make test`. Needs nothing running, and ends what it started.
#
# FUZZ_SECONDS   seconds per fuzz target (0: none; default 10)
# CHAOS_SECONDS  seconds of chaos (0: none; default 30)
# CLUSTER_TEST   0: without two instances behind nginx that die and are restarted (default: the short form, some 50 s)
# WINDOWS        1: the agent and the fake game as Windows programs too, under Wine (default 0: it takes some minutes and 3 GB the first time)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
postgres=deploy/dev/postgres.sh
fuzz_seconds=${FUZZ_SECONDS:-10}
chaos_seconds=${CHAOS_SECONDS:-30}

current= started=$SECONDS
step() {
    current=$1
    started=$SECONDS
    printf '\n== %s\n' "$1"
    shift
    "$@"
    printf -- '-- %s: %d s\n' "$current" $((SECONDS - started))
    current=
}

passed= started_postgres=
finish() {
    [ -z "$started_postgres" ] || "$postgres" stop test || true
    if [ -n "$passed" ]; then
        printf '\nall tests passed in %d s\n' "$SECONDS"
    else
        printf '\nFAILED in "%s" after %d s\n' "${current:-make test}" "$SECONDS" >&2
    fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Databases of tests that were killed, and templates of schemas that are no more.
drop_leftovers() {
    "$postgres" psql test -X -q -v ON_ERROR_STOP=1 <<'SQL'
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
WHERE datname ~ '^(onelap_test|onelap_template|browser|sqlx)_' \gexec
SQL
}

start_postgres() {
    "$postgres" status test >/dev/null || started_postgres=yes
    "$postgres" start test >/dev/null
    [ -z "$started_postgres" ] || drop_leftovers
    # shellcheck disable=SC1090
    . "$("$postgres" env test)"
}

# Cargo.lock goes first: every later command is --locked.
check_format() { cargo metadata --quiet --locked --format-version 1 >/dev/null && cargo fmt --all --check && cargo fmt --manifest-path tests/fuzz/Cargo.toml --check; }
lint_web() { npm --prefix web run --silent lint && npm --prefix web run --silent check && npm --prefix tests/browser run --silent check; }

# One set of packages and features everywhere, so that nothing is compiled twice.
build_rust() { cargo build --locked --workspace --all-targets --all-features; }

test_rust() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --locked --workspace --all-features
        cargo test --locked --workspace --all-features --doc --quiet
    else
        cargo test --locked --workspace --all-features
    fi
}

test_web() { npm --prefix web test; }
build_web() { npm --prefix web run --silent build; }
test_browser() { npm --prefix tests/browser test; }

# One plan, so that a failure is a change of the product; other plans are for `make chaos`. The programs are built.
test_chaos() {
    if ! command -v setpriv >/dev/null; then echo "skipped: chaos needs Linux"; return; fi
    CHAOS_BIN="${CARGO_TARGET_DIR:-$ROOT/target}/debug" CHAOS_SECONDS="$chaos_seconds" CHAOS_SEED="${CHAOS_SEED:-1}" deploy/dev/chaos.sh --rigs 3
}

# What `make cluster-test` asks for at length; its limits are the same. The programs and the web app are built.
test_cluster() { CLUSTER_SHORT=1 deploy/dev/cluster.sh test; }

# A query is checked against the committed .sqlx/, as in any build without a database; the step "sqlx" compares that folder.
export SQLX_OFFLINE=true

step "setup" deploy/dev/setup.sh
step "format" check_format
step "lint web" lint_web
step "build web" build_web
step "postgres" start_postgres
step "lint rust" deploy/dev/lint-rust.sh
step "sqlx" env POSTGRES_CLUSTER=test deploy/dev/sqlx.sh check
step "build rust" build_rust
step "test rust" test_rust
step "test web" test_web
step "test browser" test_browser
[ "$chaos_seconds" -eq 0 ] || step "chaos ($chaos_seconds s)" test_chaos
[ "${CLUSTER_TEST:-1}" = 0 ] || step "cluster, short" test_cluster
[ "${WINDOWS:-0}" != 1 ] || step "windows" deploy/dev/windows.sh test
[ "$fuzz_seconds" -eq 0 ] || step "fuzz ($fuzz_seconds s each)" tests/fuzz/run.sh "$fuzz_seconds"
passed=yes
