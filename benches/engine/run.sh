#!/usr/bin/env bash
# Compares the load engine with pgbench on the same server and data, in turns.
#
#   benches/engine/run.sh [PAIRS] [SECONDS]
#
# Prints for each statement and number of clients the median throughput of both, the median of the ratios of the pairs (above 1:
# latclinic is faster) and the client's user and system time an operation. Needs pgbench and python3; builds latclinic first.
set -euo pipefail
cd "$(dirname "$0")/../.."

pairs=${1:-7}
seconds=${2:-5}
clients=${CLIENTS:-1 8 32 64}
# shellcheck source=benches/engine/server.sh
source benches/engine/server.sh
"$latclinic" seed events
"$latclinic" apply-fix events
"$latclinic" seed benches/engine/select_1.toml

cat > "$work/select_1.sql" <<'SQL'
SELECT 1;
SQL
# The scenario's statement with the scenario's distribution.
cat > "$work/events.sql" <<'SQL'
\set user random_zipfian(1, 10000, 1.001)
SELECT id, user_id, created_at FROM latclinic_events.events WHERE user_id = :user ORDER BY created_at DESC LIMIT 20;
SQL

# Throughput and microseconds of processor time an operation.
measure_latclinic() { # NAME CLIENTS THREADS RUN
    local scenario=events phase=after
    [ "$1" = select_1 ] && scenario=benches/engine/select_1.toml phase=before
    "$latclinic" bench "$scenario" --phase "$phase" --clients "$2" --threads "$3" --warmup 500ms --duration "${seconds}s" \
        --output "$work/$1-$2-$4" > /dev/null 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
    python3 - "$work/$1-$2-$4/record.json" <<'PYTHON'
import json, sys
record = json.load(open(sys.argv[1]))
print(record["totals"]["throughput_per_s"], record["client"]["cpu_s"] / record["totals"]["operations"] * 1e6)
PYTHON
}

measure_pgbench() { # NAME CLIENTS THREADS
    local TIMEFORMAT='%U %S'
    { time pgbench -n -M prepared -h "$socket" -p "$port" -U latclinic -f "$work/$1.sql" -c "$2" -j "$3" -T "$seconds" \
        latclinic > "$work/out" 2> /dev/null; } 2> "$work/time"
    python3 - "$work/out" "$work/time" <<'PYTHON'
import re, sys
out = open(sys.argv[1]).read()
operations = int(re.search(r"actually processed: (\d+)", out)[1])
cpu = sum(map(float, open(sys.argv[2]).read().split()))
print(re.search(r"tps = ([\d.]+)", out)[1], cpu / operations * 1e6)
PYTHON
}

for name in select_1 events; do
    for count in $clients; do
        threads=2
        [ "$count" = 1 ] && threads=1
        for pair in $(seq "$pairs"); do
            # Turn and turn about, so that neither always comes first.
            if [ $((pair % 2)) = 0 ]; then
                ours=$(measure_latclinic "$name" "$count" "$threads" "$pair")
                theirs=$(measure_pgbench "$name" "$count" "$threads")
            else
                theirs=$(measure_pgbench "$name" "$count" "$threads")
                ours=$(measure_latclinic "$name" "$count" "$threads" "$pair")
            fi
            echo "$ours $theirs"
        done | python3 -c '
import statistics, sys
rows = [tuple(map(float, line.split())) for line in sys.stdin]
median = lambda values: statistics.median(list(values))
print(f"{sys.argv[1]:9} {sys.argv[2]:>3} clients: "
      f"latclinic {median(r[0] for r in rows):8.0f}/s {median(r[1] for r in rows):6.2f} us an operation, "
      f"pgbench {median(r[2] for r in rows):8.0f}/s {median(r[3] for r in rows):6.2f} us, "
      f"ratio {median(r[0] / r[2] for r in rows):.3f} of {len(rows)} pairs")' "$name" "$count"
    done
done
