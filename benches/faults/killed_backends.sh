#!/usr/bin/env bash
# Kills a backend of the managed server at random moments of bench, run, seed, apply-fix and revert-fix. Each command has to end
# within 60 s, say that the server crashed or end well, leave no process, and the next one has to work.
#
#   benches/faults/killed_backends.sh [TRIES]
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

hits=0
for ((number = 0; number < ${1:-20}; number++)); do
    which=$((number % ${#server_commands[@]}))
    prepare "$which"
    start ${server_commands[$which]}
    moment "${works[$which]}"
    victim=
    while [ -z "$victim" ] && running; do
        victim=$(backends | shuf -n 1)
        [ -z "$victim" ] || kill -9 "$victim" 2>/dev/null || victim=
    done
    await
    [ -z "$victim" ] || hits=$((hits + 1))
    try "${server_commands[$which]}, killed ${victim:-nobody}: exit $code after $took ms"
    judge 'the server crashed: a '
done
echo "$hits backends killed"
finish
