#!/usr/bin/env bash
# Times `latclinic run` with its defaults, from nothing (no data folder, no server) to the comparison: under 90 s.
#
# usage: benches/run.sh [RUNS]          (default: 5 runs)
#   LATCLINIC   program to measure (default: target/release/latclinic, built if missing)
set -euo pipefail

runs=${1:-5}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
latclinic=${LATCLINIC:-$root/target/release/latclinic}
[[ -x $latclinic ]] || cargo build --release --manifest-path "$root/Cargo.toml"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
unset LATCLINIC_DATABASE_URL

for ((run = 1; run <= runs; run++)); do
    begin=$(date +%s.%N)
    LATCLINIC_DATA_DIR=$scratch/data "$latclinic" run --output "$scratch/run-$run" >"$scratch/out" 2>"$scratch/log" ||
        { cat "$scratch/log" >&2; exit 1; }
    seconds=$(awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
    echo "$seconds" >>"$scratch/seconds"
    echo "run $run: $seconds s, $(head -n 1 "$scratch/out")"
    LATCLINIC_DATA_DIR=$scratch/data "$latclinic" server destroy --yes >/dev/null
done
sort -n "$scratch/seconds" | awk '{ v[NR] = $1 } END { m = v[int((NR + 1) / 2)]; print "median: " m " s (limit 90 s)"; exit m > 90 }'
