#!/usr/bin/env bash
# Writes committed generated files anew: generate.sh types|openapi…. The tests that guard them do the writing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
export SQLX_OFFLINE="${SQLX_OFFLINE:-true}" UPDATE_GENERATED=1

[ $# -gt 0 ] || die "usage: generate.sh types|openapi…"
for what in "$@"; do
    case "$what" in
        types) cargo test --quiet --locked -p onelap-protocol --all-features --test types ;;
        openapi)
            cargo test --quiet --locked -p onelap-service --all-features openapi
            deploy/dev/setup.sh web
            npm --prefix web run --silent api-types
            ;;
        *) die "unknown file \"$what\": types or openapi" ;;
    esac
done
git status --short -- web/src/lib/protocol.gen.ts web/src/lib/api.gen.ts service/openapi.json >&2
