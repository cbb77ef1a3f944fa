#!/usr/bin/env bash
# `make bench`: the benchmarks behind the README's figures, release builds, on a durable Postgres of their own.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
postgres=deploy/dev/postgres.sh

deploy/dev/setup.sh rust compilers postgres web
npm --prefix web run --silent build
SQLX_OFFLINE=true cargo build --quiet --locked --release -p onelap-service -p load

trap '"$postgres" stop bench' EXIT
"$postgres" start bench >/dev/null
# shellcheck disable=SC1090
. "$("$postgres" env bench)"

if [ $# -gt 0 ]; then
    target/release/load "$@"
else
    target/release/load codec
    target/release/load spool
    target/release/load ingest
fi
