#!/usr/bin/env bash
# `make clean-dev`: stops every cluster, private Postgres and Redis of this checkout and deletes their data, the demo's included.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

for ports in "$DEV"/cluster*/nginx.port; do
    [ -e "$ports" ] || continue
    name=$(basename "$(dirname "$ports")")
    say "ending and deleting the cluster .dev/$name"
    CLUSTER=$name "$ROOT/deploy/dev/cluster.sh" destroy
done
for data in "$DEV"/*/pg; do
    [ -e "$data" ] || continue
    name=$(basename "$(dirname "$data")")
    say "deleting the Postgres cluster .dev/$name"
    "$ROOT/deploy/dev/postgres.sh" destroy "$name"
done
for run in "$DEV"/redis-*/run; do
    [ -e "$run" ] || continue
    name=$(basename "$(dirname "$run")")
    "$ROOT/deploy/dev/redis.sh" destroy "${name#redis-}"
done
rm -rf "$DEV"
rm -f "$ROOT/.env"
