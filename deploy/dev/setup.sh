#!/usr/bin/env bash
# Checks what building, running and testing 1Lap needs, and installs what is missing. May be run any number of times.
#
# As root, or with sudo, on Debian and Ubuntu it installs packages and says so in one line each; elsewhere it says exactly
# what to install. It starts nothing and needs no Docker. Rust and Node are expected to be there.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_rust() {
    command -v cargo >/dev/null || die "cargo is missing: install Rust 1.95 or newer (https://rustup.rs)"
    local version
    version=$(rustc --version | cut -d' ' -f2)
    at_least 1.95 "$version" || die "Rust $version is too old: 1Lap needs 1.95 or newer (rustup update stable)"
}

need_node() {
    command -v node >/dev/null && command -v npm >/dev/null || die "node and npm are missing: install Node 20.19 or newer (https://nodejs.org)"
    local version
    version=$(node --version)
    at_least 20.19 "${version#v}" || die "Node $version is too old: 1Lap needs 20.19 or newer"
}

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]; }

# C for zstd and the TLS library, C++ for libFuzzer.
need_compilers() {
    if command -v cc >/dev/null && command -v c++ >/dev/null; then return; fi
    can_apt || die "a C and a C++ compiler are missing (cc, c++): install gcc and g++, on macOS: xcode-select --install"
    apt_install gcc g++ libc6-dev
}

need_postgres() { "$ROOT/deploy/dev/postgres.sh" install; }

need_redis() {
    if command -v redis-server >/dev/null; then return; fi
    can_apt || die "redis-server is missing: install Redis 7 or newer (Fedora: dnf install redis, Arch: pacman -S redis, macOS: brew install redis)"
    apt_install redis-server
    # Debian enables the machine-wide server at boot; nobody asked for that one.
    if [ -d /run/systemd/system ]; then as_admin systemctl disable -q redis-server 2>/dev/null || true; fi
}

need_nginx() {
    if [ -x "$(nginx_program)" ]; then return; fi
    can_apt || die "nginx is missing: install nginx 1.22 or newer (Fedora: dnf install nginx, Arch: pacman -S nginx, macOS: brew install nginx)"
    apt_install nginx-light
    if [ -d /run/systemd/system ]; then as_admin systemctl disable -q nginx 2>/dev/null || true; fi
}

# Only promtool is used; Debian has it in the server's package.
need_promtool() {
    if command -v promtool >/dev/null; then return; fi
    can_apt || die "promtool is missing: install Prometheus (Fedora: dnf install golang-github-prometheus, Arch: pacman -S prometheus, macOS: brew install prometheus)"
    apt_install prometheus
    if [ -d /run/systemd/system ]; then as_admin systemctl disable -q prometheus 2>/dev/null || true; fi
}

# Ubuntu's chromium is a snap, which a browser test cannot drive in a container: there Playwright's own build is the way.
need_chromium() {
    if node "$ROOT/tests/browser/chromium.mjs" >/dev/null 2>&1; then return; fi
    if can_apt && grep -q '^ID=debian' /etc/os-release 2>/dev/null; then
        apt_install chromium
    elif can_apt; then
        say "installing Chromium with its libraries, by Playwright"
        (cd "$ROOT/tests/browser" && as_admin env "PATH=$PATH" npx playwright install-deps chromium >/dev/null && npx playwright install chromium >/dev/null)
    else
        die "Chromium is missing: install chromium or Google Chrome (or: cd tests/browser && npx playwright install chromium),
  or set ONELAP_CHROMIUM to the path of its executable"
    fi
    node "$ROOT/tests/browser/chromium.mjs" >/dev/null
}

# npm_packages FOLDER: exactly what the lock file says, and only when that has changed.
npm_packages() {
    local folder=$ROOT/$1 stamp
    stamp="$(node --version) $(cksum <"$folder/package-lock.json")"
    [ "$(cat "$folder/node_modules/.onelap-stamp" 2>/dev/null)" != "$stamp" ] || return 0
    say "installing npm packages: $1"
    (cd "$folder" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error >/dev/null)
    echo "$stamp" >"$folder/node_modules/.onelap-stamp"
}

need_web() { need_node; npm_packages web; }
need_browser() { need_node; npm_packages tests/browser; need_chromium; }

parts=("$@")
[ $# -gt 0 ] || parts=(rust compilers postgres redis web browser)
for part in "${parts[@]}"; do
    case "$part" in
        rust | compilers | postgres | redis | web | browser | nginx | promtool) "need_$part" ;;
        *) die "unknown part \"$part\": rust, compilers, postgres, redis, web, browser, nginx or promtool" ;;
    esac
done
