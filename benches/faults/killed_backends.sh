#!/usr/bin/env bash
# Kills a backend of the managed server at random moments of bench, run, seed and apply-fix. Each command has to end within
# 60 s, say that the server crashed or end well, leave no process, and the next one has to work.
#
#   benches/faults/killed_backends.sh [TRIES]      needs a build: cargo build
set -euo pipefail
cd "$(dirname "$0")/../.."
latclinic=${LATCLINIC:-$PWD/target/debug/latclinic}
work=$(mktemp -d) && chmod 755 "$work"
export LATCLINIC_DATA_DIR=$work/data
failures=0
trap '"$latclinic" server destroy --yes >"$work/destroyed" 2>&1 || true; rm -rf "$work"' EXIT

children() {
    local postmaster
    postmaster=$(head -1 "$work"/data/pg*/postmaster.pid 2>/dev/null) || return 0
    for pid in $(cat "/proc/$postmaster/task/$postmaster/children" 2>/dev/null); do
        # It may have ended meanwhile.
        if { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q '\[local\]'; then echo "$pid"; fi
    done
}

fail() {
    failures=$((failures + 1))
    echo "FAIL $*"
    cat "$work/said"
}

"$latclinic" seed --rows 20000 >"$work/said" 2>&1
commands=("bench --phase before --rows 20000 --warmup 200ms --duration 3s" "run --rows 20000 --rounds 1 --block 1s --warmup 200ms"
    "seed --rows 20000 --reseed" "apply-fix --rows 20000" "revert-fix --rows 20000")
for try in $(seq "${1:-20}"); do
    command=${commands[$((try % ${#commands[@]}))]}
    begin=$(date +%s%N)
    (cd "$work" && exec "$latclinic" $command >"$work/said" 2>&1) &
    latclinic_pid=$!
    sleep "$((RANDOM % 4)).$((RANDOM % 10))"
    victim=$(children | shuf -n 1)
    [ -z "$victim" ] || kill -9 "$victim" 2>/dev/null || victim=
    code=0
    wait "$latclinic_pid" || code=$?
    took=$((($(date +%s%N) - begin) / 1000000))
    echo "$try: $command: killed ${victim:-nobody}, exit $code after $took ms"
    [ "$took" -lt 60000 ] || fail "it took too long"
    [ "$code" -le 4 ] || fail "exit $code"
    if [ "$code" -eq 1 ] && [ -n "$victim" ]; then
        grep -q 'the server crashed: a ' "$work/said" || fail "the crash is not said"
    fi
    [ -z "$(children)" ] || fail "processes are left"
    "$latclinic" revert-fix --rows 20000 >"$work/said" 2>&1 || "$latclinic" seed --rows 20000 --reseed >"$work/said" 2>&1 || fail "the next command fails"
done
[ "$failures" -eq 0 ]
