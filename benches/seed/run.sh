#!/usr/bin/env bash
# Times `latclinic seed events` against psql loading the same rows from a ready CSV file, on the same server.
#
# latclinic: schema, rows, primary key, VACUUM (ANALYZE), ledger; the old dataset is dropped within the measured time.
# psql: CREATE TABLE, \copy .. WITH (FORMAT csv, FREEZE), primary key, in one transaction; no VACUUM, no ANALYZE.
# Each run is timed from the start of the process to its end, after a CHECKPOINT; the two alternate.
#
# usage: benches/seed/run.sh [PAIRS] [ROWS]          (default: 5 pairs, 1000000 rows)
#   LATCLINIC                program to measure (default: target/release/latclinic, built if missing)
#   LATCLINIC_DATABASE_URL   server to measure on (default: latclinic's own, started for the time of the measurement)
#   LATCLINIC_DATA_DIR       where latclinic keeps its own server (default: a temporary folder, deleted at the end)
#   MEMORY_ROWS              rows of the runs whose peak memory is shown (default: "1000000 10000000"; "" for none)
# needs: psql, GNU time
set -euo pipefail

pairs=${1:-5}
rows=${2:-1000000}
memory_rows=${MEMORY_ROWS-"1000000 10000000"}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
latclinic=${LATCLINIC:-$root/target/release/latclinic}
gnu_time=$(type -P gtime || type -P time) || { echo "GNU time is missing (package time)" >&2; exit 1; }
[[ -x $latclinic ]] || cargo build --release --manifest-path "$root/Cargo.toml"

scratch=$(mktemp -d)
started=
failed=
cleanup() {
    [[ -z $started ]] || "$latclinic" server stop >/dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap cleanup EXIT

if [[ -n ${LATCLINIC_DATABASE_URL:-} ]]; then
    target=("$LATCLINIC_DATABASE_URL")
else
    if [[ -z ${LATCLINIC_DATA_DIR:-} ]]; then
        chmod 755 "$scratch"
        export LATCLINIC_DATA_DIR=$scratch/data
    fi
    "$latclinic" server start >/dev/null
    started=yes
    status=$("$latclinic" server status --format json)
    field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" <<<"$status" | head -n 1; }
    target=(-h "$(field socket_dir)" -p "$(field port)" -U latclinic latclinic)
fi
sql() { psql -X -q -v ON_ERROR_STOP=1 "${target[@]}" "$@"; }

table="CREATE TABLE seed_baseline.events (id bigint NOT NULL, user_id bigint NOT NULL, created_at timestamptz NOT NULL,
    kind text NOT NULL, payload jsonb NOT NULL)"
csv=$scratch/events.csv

seed() {
    "$gnu_time" -f '%e %M' -o "$scratch/time" "$latclinic" seed events --rows "$1" --reseed >"$scratch/log" 2>&1 ||
        { cat "$scratch/log" >&2; exit 1; }
}
baseline() {
    "$gnu_time" -f '%e %M' -o "$scratch/time" psql -X -q -1 -v ON_ERROR_STOP=1 "${target[@]}" -c "$table" \
        -c "\\copy seed_baseline.events FROM '$csv' WITH (FORMAT csv, FREEZE)" \
        -c "ALTER TABLE seed_baseline.events ADD PRIMARY KEY (id)"
}
prepare() {
    sql -c "SET client_min_messages = warning" -c "DROP SCHEMA IF EXISTS seed_baseline CASCADE" \
        -c "CREATE SCHEMA seed_baseline" -c CHECKPOINT
}
median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

seed "$rows"
sql -c "\\copy (SELECT id, user_id, created_at, kind, payload FROM latclinic_events.events ORDER BY id) TO '$csv' WITH (FORMAT csv)"
echo "rows $rows, csv $(du -k "$csv" | cut -f 1) kB, server $(sql -At -c 'SHOW server_version')," \
    "wal_level $(sql -At -c 'SHOW wal_level'), shared_buffers $(sql -At -c 'SHOW shared_buffers'), $(nproc) cores"

for ((pair = 1; pair <= pairs; pair++)); do
    prepare
    baseline
    read -r psql_s _ <"$scratch/time"
    prepare
    seed "$rows"
    read -r seed_s _ <"$scratch/time"
    echo "$psql_s" >>"$scratch/psql"
    echo "$seed_s" >>"$scratch/seed"
    awk -v n="$pair" -v a="$psql_s" -v b="$seed_s" 'BEGIN { printf "pair %d: psql %.2f s, latclinic %.2f s, ratio %.2f\n", n, a, b, b / a }'
done

awk -v a="$(median <"$scratch/psql")" -v b="$(median <"$scratch/seed")" \
    'BEGIN { printf "median: psql %.2f s, latclinic %.2f s, ratio %.2f (limit 1.0)\n", a, b, b / a; exit b > a }' || failed=yes

for count in $memory_rows; do
    sql -c "SET client_min_messages = warning" -c "DROP SCHEMA IF EXISTS seed_baseline CASCADE" -c CHECKPOINT
    seed "$count"
    read -r seconds kilobytes <"$scratch/time"
    echo "$count rows: $seconds s, peak memory of latclinic $((kilobytes / 1024)) MB (limit 150 MB)"
    ((kilobytes < 150 * 1024)) || failed=yes
done
[[ -z $failed ]]
