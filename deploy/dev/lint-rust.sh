#!/usr/bin/env bash
# Lints of the Rust workspace, warnings as errors; licences and sources of dependencies where cargo-deny is installed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"

cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
if cargo deny --version >/dev/null 2>&1; then
    cargo deny --log-level error check bans licenses sources
else
    say "cargo-deny is not installed: licences and sources were not checked (cargo install --locked cargo-deny)"
fi
