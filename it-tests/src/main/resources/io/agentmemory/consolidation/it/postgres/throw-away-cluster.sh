# Runs a new PostgreSQL cluster for as long as standard input stays open, then stops and deletes it:
#
#   sh throw-away-cluster.sh BIN LOCALE CONFIGURATION PORT...
#
# BIN is the folder of initdb and pg_ctl, CONFIGURATION the lines for postgresql.conf; the first PORT that is free is taken.
# The password of the superuser "postgres" stands in THROW_AWAY_PASSWORD. Once the server accepts connections, prints
# "ready PORT"; prints what went wrong and fails otherwise. A line on standard input has the server stopped as a crash stops
# it, and started again, after which the same is printed.
set -eu
bin=$1 locale=$2 configuration=$3
shift 3
# Only the end of standard input ends this, so that it also outlives an interrupt of whoever started it.
trap '' HUP INT TERM

dir=$(mktemp -d "${TMPDIR:-/tmp}/consolidation-postgres-XXXXXX")
# shellcheck disable=SC2317 # called by the trap
finish() {
  "$bin/pg_ctl" stop -D "$dir/data" -m immediate >/dev/null 2>&1 || :
  rm -rf "$dir"
}
trap finish EXIT
cd "$dir"

echo "$THROW_AWAY_PASSWORD" >password
"$bin/initdb" -D data -U postgres --pwfile=password -A scram-sha-256 -E UTF8 --locale="$locale" --no-sync >log 2>&1 || {
  cat log
  exit 1
}
cat >>data/postgresql.conf <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir'
$configuration
END

start() { "$bin/pg_ctl" start -w -D data -l log -o "-p $port" >/dev/null 2>&1; }

for port; do
  if start; then
    echo "ready $port"
    while read -r _; do
      "$bin/pg_ctl" stop -D data -m immediate >/dev/null 2>&1
      start || break 2
      echo "ready $port"
    done
    exit 0
  fi
done
tail -n 20 log
exit 1
