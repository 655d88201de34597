#!/usr/bin/env bash
# What sampling plans costs the load: SELECT 1, and a script of eleven statements, with and without it on the same server, in turns.
#
#   benches/engine/plan_samples.sh [PAIRS] [SECONDS] [CLIENTS]
#
# Prints for each the medians of throughput, p50 and p99 of both sides, and the medians of the pairs' ratios. Exits with 1 when sampling
# costs either 1 % of the throughput or more. Needs python3; builds latclinic first.
set -euo pipefail
cd "$(dirname "$0")/../.."

pairs=${1:-15}
seconds=${2:-3}
clients=${3:-4}
# shellcheck source=benches/engine/server.sh
source benches/engine/server.sh

bench() { # SCENARIO RUN [FLAG]
    "$latclinic" bench "benches/engine/$1.toml" --phase before --clients "$clients" --warmup 500ms --duration "${seconds}s" \
        --output "$work/$1-$2" ${3:+"$3"} > /dev/null 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
}

for scenario in select_1 script; do
    "$latclinic" seed "benches/engine/$scenario.toml"
    for ((pair = 1; pair <= pairs; pair++)); do
        # Either goes first in turns, so that what drifts hits both.
        if ((pair % 2)); then
            bench "$scenario" "$pair-with"; bench "$scenario" "$pair-without" --no-plan-samples
        else
            bench "$scenario" "$pair-without" --no-plan-samples; bench "$scenario" "$pair-with"
        fi
    done
done
python3 - "$work" "$pairs" <<'PYTHON'
import json, statistics, sys
work, pairs = sys.argv[1], int(sys.argv[2])

def figures(name):
    record = json.load(open(f"{work}/{name}/record.json"))
    latency = record["latency_ms"]
    statements = record["plans_under_load"]["statements"]
    sampled = sum(statement["sampled"] - statement["in_warmup"] for statement in statements)
    return record["totals"]["throughput_per_s"], latency["p50"], latency["p99"], sampled

def cost_of_sampling(scenario):
    sides = {
        side: [figures(f"{scenario}-{pair}-{side}") for pair in range(1, pairs + 1)] for side in ("with", "without")
    }
    print(scenario)
    for side, all_figures in sides.items():
        throughput, p50, p99, sampled = (statistics.median(column) for column in zip(*all_figures))
        print(f"  {side:8} {throughput:9.0f}/s  p50 {p50 * 1e3:7.1f} us  p99 {p99 * 1e3:7.1f} us  {sampled:.0f} plans in the window")
    costs = []
    for name, column, sign in ("throughput", 0, -1), ("p50", 1, 1), ("p99", 2, 1):
        ratios = [a[column] / b[column] for a, b in zip(sides["with"], sides["without"])]
        costs.append(sign * (statistics.median(ratios) - 1))
        quartiles = ", ".join(f"{100 * sign * (q - 1):+.2f}" for q in statistics.quantiles(ratios, n=4))
        print(f"  cost of sampling: {100 * costs[-1]:+.2f} % of the {name} (median of {pairs} pairs; quartiles {quartiles} %)")
    return costs[0]

sys.exit(max([cost_of_sampling(scenario) for scenario in ("select_1", "script")]) >= 0.01)
PYTHON
