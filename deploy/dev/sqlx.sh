#!/usr/bin/env bash
# The committed .sqlx/ folder: what sqlx's macros learnt from the database, so that a build needs none.
#
#   sqlx.sh prepare   writes .sqlx/ anew
#   sqlx.sh check     fails when .sqlx/ is not what the queries and migrations of this checkout give
#
# The macros themselves write the files when they have a live database and SQLX_OFFLINE_DIR; sqlx-cli is not needed.
# The database is a scratch one in the private cluster "test", migrated with this checkout's migrations/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
postgres="$ROOT/deploy/dev/postgres.sh"
cluster=${POSTGRES_CLUSTER:-test}

mode=${1:-}
case "$mode" in prepare | check) ;; *) die "usage: sqlx.sh prepare|check" ;; esac

was_running=yes
"$postgres" status "$cluster" >/dev/null || was_running=
"$postgres" start "$cluster" >/dev/null
scratch="sqlx_$$"
fresh="$DEV/sqlx.$$"

cleanup() {
    "$postgres" psql "$cluster" -X -q -c "DROP DATABASE IF EXISTS $scratch WITH (FORCE)" || true
    [ -n "$was_running" ] || "$postgres" stop "$cluster"
    rm -rf "$fresh"
}
trap cleanup EXIT

scratch_url=$("$postgres" schema "$cluster" "$scratch")

# Only the service's library has queries. Its sources' time is renewed because cargo sees neither the schema nor the folder.
mkdir -p "$fresh"
touch -c "$ROOT/service/src/lib.rs"
(cd "$ROOT" && DATABASE_URL="$scratch_url" SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$fresh" \
    cargo check --quiet --locked --workspace --all-targets --all-features)

if [ "$mode" = prepare ]; then
    mkdir -p "$ROOT/.sqlx"
    rm -f "$ROOT"/.sqlx/query-*.json
    cp "$fresh"/query-*.json "$ROOT/.sqlx/" 2>/dev/null || die "no checked query was found in the service"
    say "$(find "$ROOT/.sqlx" -name 'query-*.json' | wc -l) queries in .sqlx/"
elif diff -rq "$fresh" "$ROOT/.sqlx" >&2; then
    say "$(find "$fresh" -name 'query-*.json' | wc -l) queries, .sqlx/ is up to date"
else
    die ".sqlx/ differs from what the queries and migrations give; run: make sqlx-prepare, and commit the result"
fi
