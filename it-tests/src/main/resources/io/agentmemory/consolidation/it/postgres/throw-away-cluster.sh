# Runs a new PostgreSQL cluster for as long as standard input stays open, then stops and deletes it:
#
#   sh throw-away-cluster.sh BIN LOCALE CONFIGURATION PORT...
#
# BIN is the folder of initdb and pg_ctl, CONFIGURATION the lines for postgresql.conf; the first PORT that is free is taken.
# The password of the superuser "postgres" stands in THROW_AWAY_PASSWORD. Once the server accepts connections, prints
# "ready PORT"; prints what went wrong and fails otherwise. A line "crash" on standard input has the server stopped as a
# crash stops it, and started again, after which the same is printed. A line "standby PORT" has another server follow this
# one from then on, for as long as this one is there, after which the same is printed with its port.
set -eu
bin=$1 locale=$2 configuration=$3
shift 3
# Only the end of standard input ends this, so that it also outlives an interrupt of whoever started it.
trap '' HUP INT TERM

dir=$(mktemp -d "${TMPDIR:-/tmp}/consolidation-postgres-XXXXXX")
# shellcheck disable=SC2317 # called by the trap
finish() {
  for data in "$dir/standby" "$dir/data"; do
    "$bin/pg_ctl" stop -D "$data" -m immediate >/dev/null 2>&1 || :
  done
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

start() { "$bin/pg_ctl" start -w -D "$1" -l log -o "-p $2" >/dev/null 2>&1; }

follow() {
  PGPASSWORD=$THROW_AWAY_PASSWORD "$bin/pg_basebackup" -h 127.0.0.1 -p "$port" -U postgres -D standby -R -c fast >>log 2>&1
  start standby "$1"
}

for port; do
  if start data "$port"; then
    echo "ready $port"
    while read -r line; do
      case $line in
        "standby "*)
          follow "${line#standby }" || break 2
          echo "ready ${line#standby }"
          ;;
        *)
          "$bin/pg_ctl" stop -D data -m immediate >/dev/null 2>&1
          start data "$port" || break 2
          echo "ready $port"
          ;;
      esac
    done
    exit 0
  fi
done
tail -n 20 log
exit 1
