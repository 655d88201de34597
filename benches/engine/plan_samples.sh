#!/usr/bin/env bash
# What sampling plans costs the load: SELECT 1 with and without it on the same server, in turns.
#
#   benches/engine/plan_samples.sh [PAIRS] [SECONDS] [CLIENTS]
#
# Prints the medians of throughput, p50 and p99 of both, and the median of the pairs' ratios. Exits with 1 when sampling costs 1 % of the
# throughput or more. Needs python3; builds latclinic first.
set -euo pipefail
cd "$(dirname "$0")/../.."

pairs=${1:-15}
seconds=${2:-3}
clients=${3:-4}
# shellcheck source=benches/engine/server.sh
source benches/engine/server.sh
"$latclinic" seed benches/engine/select_1.toml

bench() { # RUN [FLAG]
    "$latclinic" bench benches/engine/select_1.toml --phase before --clients "$clients" --warmup 500ms --duration "${seconds}s" \
        --output "$work/samples-$1" ${2:+"$2"} > /dev/null 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
}

for ((pair = 1; pair <= pairs; pair++)); do
    # Either goes first in turns, so that what drifts hits both.
    if ((pair % 2)); then
        bench "$pair-with"; bench "$pair-without" --no-plan-samples
    else
        bench "$pair-without" --no-plan-samples; bench "$pair-with"
    fi
done
python3 - "$work" "$pairs" <<'PYTHON'
import json, statistics, sys
work, pairs = sys.argv[1], int(sys.argv[2])

def figures(name):
    record = json.load(open(f"{work}/samples-{name}/record.json"))
    latency = record["latency_ms"]
    sampled = sum(statement["sampled"] for statement in record["plans_under_load"]["statements"])
    return record["totals"]["throughput_per_s"], latency["p50"], latency["p99"], sampled

sides = {side: [figures(f"{pair}-{side}") for pair in range(1, pairs + 1)] for side in ("with", "without")}
for side, all_figures in sides.items():
    throughput, p50, p99, sampled = (statistics.median(column) for column in zip(*all_figures))
    print(f"{side:8} {throughput:9.0f}/s  p50 {p50 * 1e3:7.1f} us  p99 {p99 * 1e3:7.1f} us  {sampled:.0f} plans")
ratios = [a[0] / b[0] for a, b in zip(sides["with"], sides["without"])]
cost = 1 - statistics.median(ratios)
print(f"cost of sampling: {100 * cost:+.2f} % of the throughput (median of {pairs} pairs; quartiles "
      f"{', '.join(f'{100 * (1 - q):+.2f}' for q in statistics.quantiles(ratios, n=4))} %)")
sys.exit(cost >= 0.01)
PYTHON
