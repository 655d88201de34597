#!/usr/bin/env bash
# Measures what the live view costs: the same bench with it (on a pseudo terminal) and without it (stderr in a file), in turns.
#
# usage: benches/live_view.sh [PAIRS] [SECONDS]          (default: 7 pairs of 3 s)
#   LATCLINIC   program to measure (default: target/release/latclinic, built first)
#   CLIENTS     clients of the load (default: 8)
#
# Prints for each pair, and as the median of the pairs, the ratio with / without of the throughput, of the p99 and of the
# processor time of the whole process an operation, which the threads that draw are part of. It includes what comes before the
# window and after it, on both sides. Needs script (util-linux) and python3.
set -euo pipefail
cd "$(dirname "$0")/.."

pairs=${1:-7}
seconds=${2:-3}
[ -n "${LATCLINIC:-}" ] || cargo build --release --quiet
latclinic=$(realpath "${LATCLINIC:-target/release/latclinic}")
scenario=benches/engine/select_1.toml
work=$(mktemp -d)
# A server of its own, so that none that is in use is touched; started by root, its account has to get through.
chmod 755 "$work"
export LATCLINIC_DATA_DIR="$work/server" TERM=xterm
unset LATCLINIC_DATABASE_URL NO_COLOR

trap '"$latclinic" server destroy --yes > /dev/null; rm -rf "$work"' EXIT
"$latclinic" server start
"$latclinic" seed "$scenario"

# One bench on the terminal that it is started on; the time of the program alone, without that of the terminal.
cat > "$work/bench" <<BASH
#!/usr/bin/env bash
set -e
stty cols 80 rows 24
[ "\$1" = with ] || exec 2> "$work/log"
exec 3>&2
TIMEFORMAT='%U %S'
{ time "$latclinic" bench "$scenario" --phase before --clients ${CLIENTS:-8} --warmup 500ms --duration ${seconds}s \
    --output "$work/\$1-\$2" > /dev/null 2>&3; } 2> "$work/time"
BASH
chmod +x "$work/bench"

# Throughput, p99 in ms, microseconds of processor time an operation.
measure() { # with|without PAIR
    script -qec "$work/bench $1 $2" /dev/null < /dev/null > "$work/screen" || { cat "$work/screen" "$work/log" >&2; exit 1; }
    if [ "$1" = with ] && ! grep -q 'p99' "$work/screen"; then
        echo "no live view was drawn" >&2
        exit 1
    fi
    python3 - "$work/$1-$2/record.json" "$work/time" <<'PYTHON'
import json, sys
record = json.load(open(sys.argv[1]))
cpu = sum(map(float, open(sys.argv[2]).read().split()))
print(record["totals"]["throughput_per_s"], record["latency_ms"]["p99"], cpu / record["totals"]["operations"] * 1e6)
PYTHON
}

for pair in $(seq "$pairs"); do
    # Turn and turn about, so that neither always comes first.
    if [ $((pair % 2)) = 0 ]; then
        with=$(measure with "$pair")
        without=$(measure without "$pair")
    else
        without=$(measure without "$pair")
        with=$(measure with "$pair")
    fi
    echo "$with $without"
done | python3 -c '
import statistics, sys
names = ["throughput", "p99", "processor time an operation"]
units = ["{:.0f}/s", "{:.3f} ms", "{:.2f} us"]
ratios = [[], [], []]
for line in sys.stdin:
    figures = list(map(float, line.split()))
    told = []
    for name, unit, on, off, all in zip(names, units, figures[:3], figures[3:], ratios):
        all.append(on / off)
        told.append(f"{name} {unit.format(on)} / {unit.format(off)} = {on / off:.3f}")
    print(f"pair {len(ratios[0])}, with / without: " + ", ".join(told), flush=True)
print(f"median of {len(ratios[0])} pairs: " + ", ".join(
    f"{name} {statistics.median(all):.3f} ({min(all):.3f} to {max(all):.3f})" for name, all in zip(names, ratios)))'
