#!/usr/bin/env bash
# How fast latclinic comes up: its help, its version, its server from nothing, its server again.
# Prints the median of each and fails when one is over its limit.
#
#   benches/startup.sh [RUNS]        RUNS is 7 unless given, and at least 5
#
# Needs PostgreSQL 14 to 18. Builds the release binary and works in a temporary folder; LATCLINIC_BIN names another binary.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-7}
((runs >= 5)) || { echo "at least 5 runs" >&2; exit 2; }
if [[ -z ${LATCLINIC_BIN:-} ]]; then
    cargo build --release --quiet
    LATCLINIC_BIN=${CARGO_TARGET_DIR:-target}/release/latclinic
fi

scratch=$(mktemp -d)
chmod 755 "$scratch" # the server of root runs as another user, who has to pass
export LATCLINIC_DATA_DIR=$scratch/data
unset LATCLINIC_PG_BIN
clean() {
    "$LATCLINIC_BIN" server destroy --yes >/dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap clean EXIT

# Milliseconds that a command takes.
milliseconds() {
    local begin=$EPOCHREALTIME
    "$@" >/dev/null 2>&1 || { echo "failed: $*" >&2; exit 1; }
    local end=$EPOCHREALTIME
    echo $(((${end/[.,]/} - ${begin/[.,]/}) / 1000))
}

declare -A times
for ((run = 0; run < runs; run++)); do
    times[version]+="$(milliseconds "$LATCLINIC_BIN" --version) "
    times[help]+="$(milliseconds "$LATCLINIC_BIN" --help) "
    times[nothing]+="$(milliseconds "$LATCLINIC_BIN" server start) "
    "$LATCLINIC_BIN" server stop >/dev/null
    times[again]+="$(milliseconds "$LATCLINIC_BIN" server start) "
    "$LATCLINIC_BIN" server destroy --yes >/dev/null
done

failed=0
judge() {
    local name=$1 limit=$2 words=$3 median verdict=ok
    # shellcheck disable=SC2086 # the times are meant to be split
    median=$(printf '%s\n' ${times[$name]} | sort -n | sed -n "$(((runs + 1) / 2))p")
    ((median < limit)) || { verdict=TOO\ SLOW; failed=1; }
    printf '%-34s %6d ms  (limit %d ms)  %-8s  %s\n' "$words" "$median" "$limit" "$verdict" "${times[$name]}"
}
echo "medians of $runs runs; load of the machine: $(uptime | sed 's/.*average[s]*: //')"
judge version 20 'latclinic --version'
judge help 20 'latclinic --help'
judge nothing 3000 'server from nothing to ready'
judge again 500 'server again to ready'
exit $failed
