#!/usr/bin/env bash
# Fuzzes every decoder, or those named: run.sh SECONDS [TARGET…]. `make fuzz FUZZ_SECONDS=60`.
#
# Works with stable Rust: the compiler's own coverage pass and libFuzzer, without a sanitizer (the code under test has no
# unsafe). Targets run side by side, one a core. A finding is kept in artifacts/<target>/ and printed with the command that
# shows it again. Corpora stay in corpus/<target>/ from run to run.
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/deploy/dev/common.sh"
cd "$ROOT/tests/fuzz"

seconds=${1:?usage: run.sh SECONDS [TARGET…]}
[[ $seconds =~ ^[0-9]+$ ]] || die "\"$seconds\" is not a number of seconds"
shift
targets=("$@")
[ $# -gt 0 ] || for file in targets/*.rs; do targets+=("$(basename "$file" .rs)"); done

host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR="$ROOT/tests/fuzz/target"
# With --target the flags reach neither build scripts nor proc macros.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
export SQLX_OFFLINE=true
cargo build --quiet --release --bins --target "$host"
bin="$CARGO_TARGET_DIR/$host/release"

# The largest input worth trying. (Images of LMU are made of changes: see the target.)
max_len() { case "$1" in agent_rest_body) echo 262144 ;; agent_recording | service_chunk) echo 65536 ;; *) echo 8192 ;; esac; }

fuzz_one() {
    local target=$1 log="target/$1.log" status=0 last first cov corpus
    corpus="corpus/$target"
    mkdir -p "$corpus" "artifacts/$target"
    ONELAP_SEEDS="$corpus" "$bin/$target" >"$log" 2>&1 || { cat "$log"; return 1; }
    grep '^skipped: ' "$log" || true
    "$bin/$target" -max_total_time="$seconds" -max_len="$(max_len "$target")" -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="artifacts/$target/" "$corpus" >"$log" 2>&1 || status=$?
    if [ $status -ne 0 ]; then
        grep -v '^#[0-9]' "$log" | tail -40
        echo "FOUND: $target; its log: tests/fuzz/$log; again: tests/fuzz/target/$host/release/$target tests/fuzz/artifacts/$target/<file>"
        return 1
    fi
    first=$(sed -nE 's/^#[0-9]+[[:space:]]+INITED cov: ([0-9]+).*/\1/p' "$log" | head -1)
    last=$(sed -nE 's/^#[0-9]+[[:space:]]+DONE[[:space:]]+cov: ([0-9]+).*/\1/p' "$log" | tail -1)
    # Without coverage feedback a run proves next to nothing.
    [ "${last:-0}" -gt 0 ] || { echo "$target reports no coverage; its log: tests/fuzz/$log"; return 1; }
    printf 'ok  %-20s %9s runs, coverage %s to %s, %s inputs\n' "$target" \
        "$(sed -nE 's/^Done ([0-9]+) runs.*/\1/p' "$log")" "$first" "$last" "$(find "$corpus" -type f | wc -l)"
}

failed=0
running=0
jobs=$(getconf _NPROCESSORS_ONLN)
for target in "${targets[@]}"; do
    [ -x "$bin/$target" ] || die "there is no fuzz target \"$target\""
    if [ $running -ge "$jobs" ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
    fuzz_one "$target" &
    running=$((running + 1))
done
while [ $running -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
[ $failed -eq 0 ] || die "a fuzz target failed"
