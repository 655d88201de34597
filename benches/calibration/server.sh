#!/usr/bin/env bash
# The verdicts on the real server: A/A without and with a second load, and planted slowdowns of 5, 10 and 20 %.
#
#   benches/calibration/server.sh [ROUNDS] [PLANTED_ROUNDS] [BLOCK]
#
# Records ROUNDS rounds (default 300) of each A/A and PLANTED_ROUNDS (default 100; 0 for none) of each slowdown in blocks of BLOCK (default
# 250ms), cuts them into comparisons of 6, 10 and 20 rounds and prints the shares of verdicts. The second load begins in the middle of a
# comparison of six rounds and ends in the middle of the next one, again and again. Needs pgbench and python3; builds latclinic first. About
# half an hour.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-300}
planted=${2:-100}
block=${3:-250ms}
# shellcheck source=benches/engine/server.sh
source benches/engine/server.sh
scenario=benches/calibration/loop.toml
"$latclinic" seed "$scenario"

record() { # NAME SCENARIO ROUNDS [FLAG..]
    local name=$1 scenario=$2 rounds=$3
    shift 3
    # A gate or a threshold is not what this is about.
    "$latclinic" run "$scenario" --rounds "$rounds" --block "$block" --output "$work/$name" "$@" > /dev/null 2> "$work/log" ||
        { tail -n 20 "$work/log" >&2; exit 1; }
    recordings+=(--recorded "$work/$name")
}

recordings=()
begin=$(date +%s.%N)
record aa "$scenario" "$rounds" --aa
# Six rounds, as long as they just took.
half=$(python3 -c 'import sys, time; print(6 * (time.time() - float(sys.argv[1])) / float(sys.argv[2]))' "$begin" "$rounds")

echo 'SELECT count(*) FROM generate_series(1, 100000);' > "$work/second.sql"
# Ends by itself when the server is gone.
(while sleep "$half" && pgbench -n -h "$socket" -p "$port" -U latclinic -f "$work/second.sql" -c 1 -T "$(printf '%.0f' "$half")" latclinic
do :; done) > /dev/null 2>&1 &
second=$!
record aa-second-load "$scenario" "$rounds" --aa
kill "$second"
wait "$second" 2> /dev/null || true

for percent in 5 10 20; do
    [ "$planted" -gt 0 ] || break
    sed "s/4800/$((4000 + 40 * percent))/" "$scenario" > "$work/loop.toml"
    record "slower-by-$percent" "$work/loop.toml" "$planted"
done
cargo bench --quiet --bench calibration -- "${recordings[@]}"
