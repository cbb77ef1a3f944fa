#!/usr/bin/env bash
# The agent and the fake game for Windows: `windows.sh build` (make windows), `windows.sh test` (make windows-test).
#
# A toolchain that has the target is used as it is (rustup target add x86_64-pc-windows-gnu). Elsewhere, on Debian, the
# compiler of Debian's packages, and a standard library built once from its sources; a newer compiler builds it anew.
# Everything lies in .dev/windows: sysroot/, target/, prefix/ (Wine's).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"

target=x86_64-pc-windows-gnu
home="$DEV/windows"
sysroot="$home/sysroot"
wine=

find_wine() { wine=$(command -v /usr/lib/wine/wine64 wine64 wine | head -1) && [ -n "$wine" ]; }

install_missing() {
    local missing=()
    command -v x86_64-w64-mingw32-gcc >/dev/null || missing+=(gcc-mingw-w64-x86-64)
    [ "$1" = build ] || find_wine || missing+=(wine64)
    has_target || { [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ]; } ||
        missing+=(rustc-web cargo-web rust-web-src)
    if [ ${#missing[@]} -gt 0 ]; then
        can_apt && grep -q '^ID=debian' /etc/os-release 2>/dev/null ||
            die "missing: the target $target (rustup target add $target), its linker (x86_64-w64-mingw32-gcc)$([ "$1" = build ] || echo ", wine")"
        apt_install "${missing[@]}"
    fi
    [ "$1" = build ] || find_wine || die "wine64 was installed and is not found"
}

has_target() { compgen -G "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$target/lib/libstd-*.rlib" >/dev/null; }

use_debians_compiler() {
    export CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
    # By Cargo's rule these reach neither build scripts nor proc macros, which are for this machine.
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS="--sysroot=$sysroot"
    local version
    version=$("$RUSTC" -V)
    [ "$(cat "$sysroot/built-by" 2>/dev/null)" = "$version" ] || build_std "$version"
}

# Cargo builds the standard library only beside a crate: an empty one. With bitcode, so that release builds can use LTO.
build_std() {
    local crate="$home/std" lib="$sysroot/lib/rustlib/$target/lib"
    say "building Rust's standard library for Windows, once (a minute or two): $1"
    rm -rf "$crate" "$sysroot"
    mkdir -p "$crate/src" "$lib"
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n' >"$crate/Cargo.toml"
    : >"$crate/src/lib.rs"
    (cd "$crate" && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes \
        "$CARGO" build --quiet --release -Zbuild-std=std,test --target "$target" --target-dir target)
    rm "$crate/target/$target/release/deps/"libempty-*
    cp "$crate/target/$target/release/deps/"*.rlib "$lib/"
    rm -rf "$crate"
    echo "$1" >"$sysroot/built-by"
}

prepare_build() {
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
    export CC_x86_64_pc_windows_gnu=x86_64-w64-mingw32-gcc AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar
    has_target || use_debians_compiler
}

# cargo_for_windows COMMAND…: what is only looked at for a minute need not be fast, and is built in half the time.
cargo_for_windows() {
    "${CARGO:-cargo}" "$1" --locked --target "$target" --target-dir "$home/target" \
        --config 'profile.dev.package."*".opt-level=0' -p onelap-agent -p fake-game "${@:2}"
}

# Ends what runs in our prefix, and nothing else.
end_wine() {
    local server
    server=$(command -v "$(dirname "$wine")/wineserver" wineserver | head -1)
    "$server" -k 2>/dev/null || true
}

# A Wine prefix of our own, marked by the version that made it. Its server and services end with the tests.
run_tests() {
    export WINEPREFIX="$home/prefix" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree=;mshtml="
    local version random="$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll"
    version=$("$wine" --version)
    trap end_wine EXIT
    if [ "$(cat "$WINEPREFIX/made-by" 2>/dev/null)" != "$version" ]; then
        rm -rf "$WINEPREFIX"
        mkdir -p "$WINEPREFIX"
        "$wine" wineboot -i </dev/null >/dev/null 2>&1 9>&-
        [ -e "$random" ] || x86_64-w64-mingw32-gcc -O1 -shared -o "$random" tests/windows/bcryptprimitives.c -lbcrypt
        echo "$version" >"$WINEPREFIX/made-by"
    fi
    ONELAP_WINE="$wine" ONELAP_WINDOWS_BIN="$home/target/$target/debug" node --test tests/windows/run.mjs 9>&-
    CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$wine" cargo_for_windows test --quiet --lib </dev/null 9>&-
}

mkdir -p "$home"
exec 9>"$DEV/windows.lock"
flock 9
case "${1:-}" in
    build)
        install_missing build
        prepare_build
        cargo_for_windows build --bins
        say "built: .dev/windows/target/$target/debug/onelap-agent.exe and fake-game.exe"
        ;;
    test)
        command -v node >/dev/null || die "node is missing: install Node 20.19 or newer (https://nodejs.org)"
        install_missing test
        prepare_build
        cargo_for_windows build --bins
        run_tests
        ;;
    *) die "usage: windows.sh build|test" ;;
esac
