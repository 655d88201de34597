#!/usr/bin/env bash
# Shows that memory does not grow with the number of operations, and what many clients take.
#
#   benches/engine/memory.sh [SECONDS] [CLIENTS]
#
# Prints the resident memory of latclinic every five seconds of a closed load of SELECT 1 with 8 clients, with the operations so far,
# and the greatest with many clients on two threads. Needs python3; builds latclinic first.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
clients=${2:-1000}
# shellcheck source=benches/engine/server.sh
source benches/engine/server.sh
"$latclinic" seed benches/engine/select_1.toml

# Resident memory in MB, over time and the greatest.
watch() { # CLIENTS SECONDS EVERY
    "$latclinic" bench benches/engine/select_1.toml --phase before --clients "$1" --threads 2 --warmup 1s --duration "$2s" \
        --output "$work/memory-$1" > "$work/result" 2> "$work/log" &
    local pid=$!
    local second=0
    while kill -0 "$pid" 2> /dev/null; do
        if [ "$3" -gt 0 ] && [ $((second % $3)) = 0 ]; then
            awk -v second="$second" '/VmRSS/ { printf "  %3d s  %5.1f MB\n", second, $2 / 1024 }' "/proc/$pid/status" 2> /dev/null || true
        fi
        awk '/VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$pid/status" 2> /dev/null > "$work/now" && [ -s "$work/now" ] && mv "$work/now" "$work/most"
        sleep 1
        second=$((second + 1))
    done
    wait "$pid" || { cat "$work/log" >&2; exit 1; }
    python3 -c '
import json, sys
record = json.load(open(sys.argv[1]))
clients, totals = record["load"]["clients"], record["totals"]
print("{:,} clients: {:,} operations, {:.0f}/s, at most {} MB".format(
    clients, totals["operations"], totals["throughput_per_s"], open(sys.argv[2]).read()))' "$work/memory-$1/record.json" "$work/most"
}

watch 8 "$seconds" 5
"$latclinic" server stop > /dev/null
watch "$clients" 10 0
