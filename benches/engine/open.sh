#!/usr/bin/env bash
# Compares the open load with `pgbench --rate` on the same server, in turns.
#
#   benches/engine/open.sh [PAIRS] [SECONDS] [RATE] [CLIENTS]
#
# Prints the medians of the achieved rate, as a share of the planned one, and of the mean and 99th percentile of the lag (from when
# an operation was due until it was sent) of both. Needs pgbench and python3; builds latclinic first.
set -euo pipefail
cd "$(dirname "$0")/../.."

pairs=${1:-7}
seconds=${2:-5}
rate=${3:-5000}
clients=${4:-16}
# shellcheck source=benches/engine/server.sh
source benches/engine/server.sh
"$latclinic" seed benches/engine/select_1.toml
echo 'SELECT 1;' > "$work/select_1.sql"

ours() { # RUN
    "$latclinic" bench benches/engine/select_1.toml --phase before --clients "$clients" --threads 2 --rate "$rate/s" \
        --warmup 500ms --duration "${seconds}s" --output "$work/open-$1" > /dev/null 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
    python3 - "$work/open-$1/record.json" <<'PYTHON'
import json, sys
record = json.load(open(sys.argv[1]))
arrivals, lag = record["arrivals"], record["lag_ms"]
print(arrivals["achieved_rate_per_s"] / arrivals["planned_rate_per_s"], lag["mean"] * 1e3, lag["p99"] * 1e3)
PYTHON
}

theirs() { # RUN
    rm -f "$work"/lag.*
    pgbench -n -M prepared -h "$socket" -p "$port" -U latclinic -f "$work/select_1.sql" -c "$clients" -j 2 -T "$seconds" \
        -R "$rate" -l --log-prefix="$work/lag" latclinic > "$work/out" 2> /dev/null
    python3 - "$work" "$rate" "$seconds" <<'PYTHON'
import glob, sys
# The last column of each line is the lag in microseconds.
lags = sorted(int(line.split()[-1]) for name in glob.glob(sys.argv[1] + "/lag.*") for line in open(name))
planned = float(sys.argv[2]) * float(sys.argv[3])
print(len(lags) / planned, sum(lags) / len(lags), lags[int(len(lags) * 0.99)])
PYTHON
}

for pair in $(seq "$pairs"); do
    if [ $((pair % 2)) = 0 ]; then
        a=$(ours "$pair")
        b=$(theirs)
    else
        b=$(theirs)
        a=$(ours "$pair")
    fi
    echo "$a $b"
done | python3 -c '
import statistics, sys
rows = [tuple(map(float, line.split())) for line in sys.stdin]
median = lambda column: statistics.median(row[column] for row in rows)
print(f"SELECT 1, {sys.argv[1]}/s, {sys.argv[2]} clients, medians of {len(rows)} pairs")
print(f"  latclinic  achieved {median(0) * 100:7.3f} % of its schedule   lag mean {median(1):6.1f} us, p99 {median(2):7.1f} us")
print(f"  pgbench    achieved {median(3) * 100:7.3f} % of rate x time    lag mean {median(4):6.1f} us, p99 {median(5):7.1f} us")' "$rate" "$clients"
