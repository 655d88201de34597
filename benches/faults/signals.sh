#!/usr/bin/env bash
# Signals at random moments of bench, run, seed, server start and server destroy: the exit code says which one, what is on disk is
# complete, no process is left, and the next command works.
#
#   benches/faults/signals.sh [TRIES]
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

"$latclinic" seed --rows 20000 >said 2>&1 || fail "seed"
commands=("bench --phase before --rows 20000 --warmup 200ms --duration 3s --output out" "seed --rows 200000 --reseed"
    "run --rows 20000 --rounds 1 --block 1s --warmup 200ms --output out" "server start" "server destroy --yes")
signals=(INT TERM HUP QUIT KILL)
for ((number = 0; number < ${1:-40}; number++)); do
    command=${commands[$((RANDOM % ${#commands[@]}))]} signal=${signals[$((RANDOM % ${#signals[@]}))]}
    moment=$((RANDOM % 5)).$((RANDOM % 1000))
    case $command in server*) moment=0.$((100 + RANDOM % 500)) ;; esac
    try "$command, $signal after $moment s"
    rm -rf out
    setsid "$latclinic" $command >said 2>&1 &
    pid=$!
    sleep "$moment"
    kill -s "$signal" "$pid" 2>/dev/null
    wait "$pid"
    code=$?
    # It may have ended before the signal.
    [ "$code" -le 4 ] || [ "$code" -eq $((128 + $(kill -l "$signal"))) ] || fail "exit $code"
    ! grep -q panicked said || fail "panic"
    complete out >>said 2>&1 || fail "what is on disk is not complete"
    "$latclinic" server start >said 2>&1 || fail "the next server start"
    "$latclinic" seed --rows 20000 --reseed >said 2>&1 || fail "the next seed"
    "$latclinic" server stop >said 2>&1 || fail "the next server stop"
    [ "$(processes)" -eq 0 ] || fail "processes are left"
done
finish
