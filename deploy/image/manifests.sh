#!/bin/sh
# manifests.sh FROM TO: the workspace with its manifests and nothing to compile, so that an image layer of compiled dependencies stays valid
# until a manifest or the lock file changes.
set -eu
from=$1
to=$2

mkdir -p "$to"
cd "$from"
cp Cargo.toml Cargo.lock "$to/"
# The fuzz targets are a workspace of their own.
find . -name Cargo.toml -not -path './Cargo.toml' -not -path './tests/fuzz/*' -not -path '*/target/*' -not -path '*/node_modules/*' | while read -r manifest; do
    member=$(dirname "$manifest")
    mkdir -p "$to/$member/src"
    cp "$manifest" "$to/$member/"
    [ ! -f "$member/src/lib.rs" ] || echo '' >"$to/$member/src/lib.rs"
    [ ! -f "$member/src/main.rs" ] || echo 'fn main() {}' >"$to/$member/src/main.rs"
done
