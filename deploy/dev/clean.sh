#!/usr/bin/env bash
# `make clean-dev`: stops every private cluster of this checkout and deletes its data, the demo's included.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

for data in "$DEV"/*/pg; do
    [ -e "$data" ] || continue
    name=$(basename "$(dirname "$data")")
    say "deleting the Postgres cluster .dev/$name"
    "$ROOT/deploy/dev/postgres.sh" destroy "$name"
done
rm -rf "$DEV"
rm -f "$ROOT/.env"
