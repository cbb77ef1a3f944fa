#!/usr/bin/env bash
# `make browser-test [ARGS="…"]`: builds the web app and the programs, then runs the browser tests on a Postgres of their own.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"

deploy/dev/setup.sh rust compilers postgres web browser
npm --prefix web run --silent build
SQLX_OFFLINE=true cargo build --locked --workspace --all-features --bins

was_running=yes
deploy/dev/postgres.sh status test >/dev/null || was_running=
deploy/dev/postgres.sh start test >/dev/null
[ -n "$was_running" ] || trap 'deploy/dev/postgres.sh stop test' EXIT
# shellcheck disable=SC1090
. "$(deploy/dev/postgres.sh env test)"
npm --prefix tests/browser test -- "$@"
