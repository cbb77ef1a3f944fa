#!/usr/bin/env bash
# A private Postgres cluster for development, demo and tests: its own data, port, socket and passwords under .dev/<name>/.
#
# Invariants: it never runs as root; it listens on the loopback only; it touches no cluster but its own; `start` and `stop`
# may be called at any time and in any order. Not here: the schema (the service migrates at its start).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat >&2 <<'HELP'
usage: postgres.sh COMMAND [NAME] [ARGUMENT…]        NAME is "dev" unless given
  start     create the cluster if need be and start it; prints the owner's URL
  stop      stop it (data stays)
  status    says whether it runs; exit 0 when it does
  url       prints the owner's URL
  env       prints the path of a file to `source`: DATABASE_URL and ONELAP_TEST_DATABASE_URL
  schema    makes a database anew from migrations/ (its name: the next argument, else onelap_schema); prints its URL
  dotenv    the same, and writes the URL to .env, where sqlx's macros look for a live database at compile time
  psql      psql as the owner, with the remaining arguments (POSTGRES_URL: to another database than onelap)
  destroy   stop it and delete its data
  install   only look for Postgres 15 or newer, and install it where that can be done

Clusters named dev and test… give durability up for speed; any other is durable. POSTGRES_PROFILE=durable|fast overrides.
HELP
    exit 2
}

command=${1:-}
name=${2:-dev}
shift $(($# < 2 ? $# : 2))
[[ $name =~ ^[a-z][a-z0-9-]{0,30}$ ]] || die "cluster name \"$name\": use a-z, 0-9 and -, starting with a letter"
[[ $name != redis-* ]] || die "cluster name \"$name\": .dev/redis-… belongs to redis.sh"

dir="$DEV/$name"   # passwords and port, ours
pg="$dir/pg"       # data, socket and log, the server's; may be a link, see server_folder
db_user=onelap_owner
db_name=onelap

# ---- who the server runs as -------------------------------------------------------------------------------------------

if [ "$(id -u)" -eq 0 ] && id postgres >/dev/null 2>&1; then server_user=postgres; fi

# ---- binaries ---------------------------------------------------------------------------------------------------------

bin=
major_of() { "$1/postgres" --version 2>/dev/null | sed -E 's/.*\) ([0-9]+).*/\1/'; }

# The one in PATH when it is new enough, else the newest that a distribution or Homebrew keeps out of PATH.
find_binaries() {
    local candidate major
    bin=
    for candidate in "$(command -v initdb || true)" \
        $(printf '%s\n' /usr/lib/postgresql/*/bin/initdb /opt/homebrew/opt/postgresql@*/bin/initdb | sort -rV); do
        [ -x "$candidate" ] || continue
        candidate=$(dirname "$(readlink -f "$candidate")")
        major=$(major_of "$candidate")
        if [ "${major:-0}" -ge 15 ]; then bin=$candidate; return; fi
    done
    return 1
}

# Debian creates and starts a cluster of its own when the package is installed; a machine that had none is left without one.
install_binaries() {
    can_apt || die "Postgres 15 or newer is missing. Install it so that initdb is in PATH or under /usr/lib/postgresql/*/bin:
  Debian, Ubuntu: apt-get install postgresql     Fedora: dnf install postgresql-server     Arch: pacman -S postgresql
  macOS: brew install postgresql@17, then export PATH=\"\$(brew --prefix postgresql@17)/bin:\$PATH\""
    local conf=/etc/postgresql-common/createcluster.d/onelap.conf
    as_admin mkdir -p "$(dirname "$conf")"
    echo 'create_main_cluster = false' | as_admin tee "$conf" >/dev/null
    apt_install postgresql
    as_admin rm -f "$conf"
    # The package brings the user postgres along.
    if [ "$(id -u)" -eq 0 ] && id postgres >/dev/null 2>&1; then server_user=postgres; fi
}

need_binaries() {
    find_binaries && return
    install_binaries
    find_binaries || die "this system's own Postgres is older than 15. Add the PostgreSQL project's packages and run this again:
  apt-get install postgresql-common && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y && apt-get install postgresql-17"
}

# ---- the cluster ------------------------------------------------------------------------------------------------------

# The server's user may be unable to follow the link.
real() { readlink -f "$pg" || echo "$pg"; }

# A pid file alone proves nothing after a crash or a reboot: the process has to be there and the port has to answer.
is_running() {
    local pid
    pid=$(as_server head -1 "$(real)/data/postmaster.pid" 2>/dev/null) && as_server kill -0 "$pid" 2>/dev/null && ! port_is_free "$(cat "$dir/port")"
}

url() { echo "postgres://$db_user:$(cat "$dir/password")@127.0.0.1:$(cat "$dir/port")/$db_name"; }

create_cluster() {
    say "creating the Postgres cluster .dev/$name ($("$bin/postgres" --version | sed 's/.*) //'), runs as $server_user)"
    [ -s "$dir/password" ] || (umask 077 && random_hex 24 >"$dir/password")
    [ -s "$dir/port" ] || free_port >"$dir/port"
    # The superuser is reached over the socket and by the server's own system user only; everyone else gives a password.
    rm -rf "$(real)/data.new"
    as_server "$bin/initdb" -D "$(real)/data.new" -U "$server_user" --auth-local=peer --auth-host=scram-sha-256 \
        --encoding=UTF8 --no-locale --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; die "initdb failed"; }
    echo "include 'onelap.conf'" >>"$(real)/data.new/postgresql.conf"
    mv "$(real)/data.new" "$(real)/data"
}

# The socket lies next to the data, unless the path is longer than a socket's may be.
socket_dir() {
    local base
    base=$(real)
    if [ ${#base} -le 80 ]; then echo "$base/run"; else echo "/tmp/onelap-$(printf %s "$base" | sha256sum | cut -c1-12)"; fi
}

profile() {
    case "${POSTGRES_PROFILE:-}" in
        durable | fast) echo "$POSTGRES_PROFILE" ;;
        "") case "$name" in dev | test*) echo fast ;; *) echo durable ;; esac ;;
        *) die "POSTGRES_PROFILE is \"$POSTGRES_PROFILE\": use durable or fast" ;;
    esac
}

write_conf() {
    local sockets
    sockets=$(socket_dir)
    as_server mkdir -p -m 700 "$sockets"
    {
        echo "listen_addresses = '127.0.0.1'"
        echo "port = $(cat "$dir/port")"
        echo "unix_socket_directories = '$sockets'"
        echo "timezone = 'UTC'"
        echo "log_timezone = 'UTC'"
        if [ "$(profile)" = fast ]; then
            echo "max_connections = 300"
            printf '%s = off\n' fsync synchronous_commit full_page_writes
        fi
    } | as_server tee "$(real)/data/onelap.conf" >/dev/null
}

launch() {
    write_conf
    as_server "$bin/pg_ctl" -D "$(real)/data" -l "$(real)/log" -w -t 60 -s start >/dev/null 2>&1 9>&-
}

start_server() {
    local attempt
    for attempt in 1 2 3 4 5; do
        if [ "$attempt" -gt 1 ] || ! port_is_free "$(cat "$dir/port")"; then
            free_port >"$dir/port"
            say "the port of .dev/$name is taken; it moves to $(cat "$dir/port")"
        fi
        as_server truncate -s 0 "$(real)/log" 2>/dev/null || true
        if launch; then return; fi
        as_server grep -qi 'could not bind\|could not create any TCP' "$(real)/log" || break
    done
    as_server tail -20 "$(real)/log" >&2 || true
    die "Postgres did not start; its log: $(real)/log"
}

as_superuser() {
    as_server "$bin/psql" -h "$(socket_dir)" -p "$(cat "$dir/port")" -U "$server_user" -d postgres -X -q -v ON_ERROR_STOP=1 "$@"
}

# The owner is what the service migrates under: no superuser, but it may create roles (onelap_app) and test databases.
ensure_owner() {
    local exists
    exists=$(as_superuser -At -c "SELECT 1 FROM pg_roles WHERE rolname = '$db_user'")
    [ "$exists" = 1 ] || as_superuser <<SQL
CREATE ROLE $db_user LOGIN NOSUPERUSER CREATEROLE CREATEDB PASSWORD '$(cat "$dir/password")';
SQL
    exists=$(as_superuser -At -c "SELECT 1 FROM pg_database WHERE datname = '$db_name'")
    [ "$exists" = 1 ] || as_superuser -c "CREATE DATABASE $db_name OWNER $db_user"
}

write_env() {
    (umask 077 && printf "export DATABASE_URL='%s'\nexport ONELAP_TEST_DATABASE_URL='%s'\n" "$(url)" "$(url)" >"$dir/env")
}

# ---- commands ---------------------------------------------------------------------------------------------------------

start() {
    profile >/dev/null
    with_lock "$name"
    need_binaries
    server_folder "$pg"
    [ -d "$(real)/data" ] || create_cluster
    is_running || { start_server; ensure_owner; write_env; }
    url
}

stop() {
    [ -d "$(real)/data" ] || return 0
    with_lock "$name"
    is_running || return 0
    need_binaries
    as_server "$bin/pg_ctl" -D "$(real)/data" -m fast -w -t 60 -s stop 9>&-
}

must_exist() { [ -s "$dir/env" ] || die "there is no cluster .dev/$name yet; create it with: deploy/dev/postgres.sh start $name"; }

psql_owner() {
    PGOPTIONS="-c client_min_messages=warning" "$bin/psql" "${POSTGRES_URL:-$(url)}" "$@"
}

# What the macros ask is never the database that the service works with: that one is migrated by the service alone.
make_schema() {
    local database=${1:-onelap_schema} migration
    must_exist
    need_binaries
    psql_owner -X -q -v ON_ERROR_STOP=1 -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" -c "CREATE DATABASE $database"
    export POSTGRES_URL
    POSTGRES_URL="$(url)"
    POSTGRES_URL="${POSTGRES_URL%/*}/$database"
    for migration in "$ROOT"/migrations/*.sql; do
        psql_owner -X -q -v ON_ERROR_STOP=1 -f "$migration" >/dev/null || die "$(basename "$migration") cannot be applied"
    done
    echo "$POSTGRES_URL"
}

write_dotenv() {
    local rest='' made
    made=$(make_schema)
    [ ! -f "$ROOT/.env" ] || rest=$(grep -v '^DATABASE_URL=' "$ROOT/.env" || true)
    (umask 077 && { [ -z "$rest" ] || printf '%s\n' "$rest"; printf 'DATABASE_URL=%s\n' "$made"; } >"$ROOT/.env.new")
    mv "$ROOT/.env.new" "$ROOT/.env"
}

destroy() {
    stop
    rm -rf "$(socket_dir)" "$(real)"
    rm -rf "$dir" "$DEV/$name.lock"
}

case "$command" in
    start) start ;;
    stop) stop ;;
    status) if is_running; then echo "running on port $(cat "$dir/port")"; else echo "not running"; exit 3; fi ;;
    url) must_exist; url ;;
    env) must_exist; echo "$dir/env" ;;
    dotenv) write_dotenv ;;
    psql) must_exist; need_binaries; psql_owner "$@" ;;
    schema) make_schema "$@" ;;
    destroy) destroy ;;
    install) need_binaries ;;
    *) usage ;;
esac
