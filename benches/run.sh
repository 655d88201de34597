#!/usr/bin/env bash
# Times `latclinic run` with its defaults, from nothing (no data folder, no server) to the comparison, and shows where the time goes:
# under 90 s on two cores, and under 120 s at half that speed, in each case with a verdict on p99.
#
# usage: benches/run.sh [RUNS] [full|half]      (default: 5 runs, full)
#   half        on one core of two, which latclinic and its server share (taskset)
#   LATCLINIC   program to measure (default: target/release/latclinic, built if missing)
set -euo pipefail

runs=${1:-5}
speed=${2:-full}
case $speed in
    full) limit=90 slower=() ;;
    half) limit=120 slower=(taskset -c 0) ;;
    *) echo "usage: benches/run.sh [RUNS] [full|half]" >&2; exit 2 ;;
esac
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
latclinic=${LATCLINIC:-$root/target/release/latclinic}
[[ -x $latclinic ]] || cargo build --release --manifest-path "$root/Cargo.toml"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
unset LATCLINIC_DATABASE_URL

for ((run = 1; run <= runs; run++)); do
    begin=$(date +%s.%N)
    LATCLINIC_DATA_DIR=$scratch/data "${slower[@]}" "$latclinic" run --output "$scratch/run-$run" >"$scratch/out" 2>"$scratch/log" ||
        { cat "$scratch/log" >&2; exit 1; }
    seconds=$(awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
    echo "$seconds" >>"$scratch/seconds"
    echo "run $run: $seconds s, $(head -n 1 "$scratch/out")"
    python3 - "$scratch/run-$run/comparison.json" <<'PYTHON'
import json, sys
comparison = json.load(open(sys.argv[1]))
time = comparison["run"]["time_s"]
print("  " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(time.items(), key=lambda item: -item[1])))
p99 = next(metric for metric in comparison["metrics"] if metric["name"] == "p99" and metric["statement"] is None)
if p99["verdict"] == "inconclusive":
    sys.exit(f"  p99 has no verdict: {p99['reason']}")
PYTHON
    LATCLINIC_DATA_DIR=$scratch/data "$latclinic" server destroy --yes >/dev/null
done
sort -n "$scratch/seconds" |
    awk -v limit="$limit" '{ v[NR] = $1 } END { m = v[int((NR + 1) / 2)]; print "median: " m " s (limit " limit " s)"; exit m > limit }'
