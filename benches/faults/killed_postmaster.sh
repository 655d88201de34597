#!/usr/bin/env bash
# Kills the postmaster of the managed server at random moments of bench, run, seed, apply-fix and revert-fix. Each command has to
# end within 60 s, say what happened or end well, leave no process, and the next one has to work. Every other try works on a
# server that `server start` left running, which has to run again afterwards.
#
#   benches/faults/killed_postmaster.sh [TRIES]
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

hits=0
for ((number = 0; number < ${1:-20}; number++)); do
    which=$((number % ${#server_commands[@]})) kept=$((number % 2))
    prepare "$which"
    if [ "$kept" -eq 1 ]; then "$latclinic" server start >said 2>&1 || fail "server start"; fi
    start ${server_commands[$which]}
    moment "${works[$which]}"
    victim=$(postmaster)
    running && kill -9 "$victim" 2>/dev/null || victim=
    await
    [ -z "$victim" ] || hits=$((hits + 1))
    try "${server_commands[$which]}, kept $kept, killed ${victim:-nobody}: exit $code after $took ms"
    if [ "$kept" -eq 1 ]; then
        "$latclinic" server status 2>&1 | grep -q running || fail "the server that was left running does not run"
        cp said said.first && "$latclinic" server stop >said 2>&1 || fail "server stop"
        mv said.first said
    fi
    judge 'the server ended: its postmaster\|the server ended'
done
echo "$hits postmasters killed"
finish
