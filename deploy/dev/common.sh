# shellcheck shell=bash
# Shared by the scripts in this folder; source it, do not run it.
# Gives: ROOT (the checkout), DEV (its .dev folder), say, die, as_admin, apt_install, random_hex, port_is_free, free_port,
# nginx_program, and for the servers that it keeps under .dev: server_user, as_server, server_folder, with_lock.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
DEV="$ROOT/.dev"

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command with administrator's rights: as root directly, else through sudo. Fails when there is neither.
as_admin() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else return 1
    fi
}

can_apt() { command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }; }

# apt_install PACKAGE…: one line says what is installed; apt's own output is shown only when it fails. Daemons that a
# package brings along are not started: 1Lap starts its own, under .dev.
apt_install() {
    local log policy=/usr/sbin/policy-rc.d ours=
    say "installing Debian packages: $*"
    log=$(mktemp)
    if [ ! -e "$policy" ]; then
        ours=yes
        printf '#!/bin/sh\nexit 101\n' | as_admin tee "$policy" >/dev/null
        as_admin chmod 755 "$policy"
    fi
    if ! { as_admin apt-get update -q && as_admin env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; } >"$log" 2>&1; then
        [ -z "$ours" ] || as_admin rm -f "$policy"
        cat "$log" >&2
        rm -f "$log"
        die "apt-get could not install: $*"
    fi
    [ -z "$ours" ] || as_admin rm -f "$policy"
    rm -f "$log"
}

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# True when nothing answers on this port of the loopback. Whoever binds next still has to cope with losing a race.
port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A free port below the range from which kernels hand out ephemeral ports.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        if port_is_free "$port"; then echo "$port"; return; fi
    done
}

# Debian keeps nginx where only administrators look.
nginx_program() { command -v nginx || echo /usr/sbin/nginx; }

# ---- private servers --------------------------------------------------------------------------------------------------

# Who a private server runs as: us, unless we are root. A script may name a better user before it calls what follows.
server_user=$(id -un)
[ "$(id -u)" -ne 0 ] || server_user=nobody

as_server() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    else
        (cd / && exec setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --clear-groups \
            env -u PGDATA -u PGPORT -u PGHOST -u PGUSER HOME=/ "$@")
    fi
}

# server_folder .dev/NAME/PART: makes the folder that the server's user owns. That user must be able to reach it: below a closed
# folder (such as /root) it is kept in /var/lib instead, and PART is a link to it.
server_folder() {
    local part=$1 dir elsewhere
    dir=$(dirname "$part")
    mkdir -p "$dir"
    [ -e "$part" ] && return
    rm -f "$part"
    if as_server sh -c 'cd "$1"' sh "$dir" 2>/dev/null; then
        mkdir -m 700 "$part"
        chown "$server_user" "$part"
    else
        elsewhere="/var/lib/onelap-dev/$(printf %s "$ROOT" | sha256sum | cut -c1-12)-$(basename "$dir")"
        mkdir -p -m 711 /var/lib/onelap-dev
        mkdir -p -m 700 "$elsewhere"
        chown "$server_user" "$elsewhere"
        ln -s "$elsewhere" "$part"
        say "$dir cannot be reached by the user $server_user: what the server writes is in $elsewhere"
    fi
}

# with_lock NAME: until this script ends, on descriptor 9; a server must not inherit that, it would hold the lock for its whole life.
with_lock() {
    mkdir -p "$DEV"
    exec 9>"$DEV/$1.lock"
    if command -v flock >/dev/null; then flock -w 120 9 || die "another $(basename "$0") holds $DEV/$1.lock"; fi
}
