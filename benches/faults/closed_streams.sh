#!/usr/bin/env bash
# stdout and stderr full, closed, or read by nobody, for every command: 1 and a message for a result that is lost, else the
# command's own exit code; never a panic.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

"$latclinic" seed --rows 2000 >said 2>&1 || fail "seed"
quick="--rows 2000 --clients 2 --warmup 100ms --duration 500ms"
commands=("--help" "--version" "run --help" "scenarios list" "scenarios schema" "scenarios show" "explain --rules" "baseline list --format json"
    "compare $sample" "compare $sample --format json" "server status" "seed --rows 2000" "bench --phase before $quick" "revert-fix --rows 2000"
    "explain --phase before --rows 2000" "explain --query SELECT\ 1")
for command in "${commands[@]}"; do
    eval "set -- $command"
    own=0
    "$latclinic" "$@" >out.txt 2>said || own=$?
    for sink in full closed unread stderr-full stderr-closed; do
        try "$command, $sink"
        expected=$own code=0
        case $sink in
            full) expected=1; "$latclinic" "$@" >/dev/full 2>said || code=$? ;;
            closed) expected=1; "$latclinic" "$@" >&- 2>said || code=$? ;;
            unread) code=$( { "$latclinic" "$@" 2>said; echo $? >code; } | :; cat code) ;;
            stderr-full) "$latclinic" "$@" >out.txt 2>/dev/full || code=$? ;;
            stderr-closed) "$latclinic" "$@" >out.txt 2>&- || code=$? ;;
        esac
        [ "$code" -eq "$expected" ] || fail "exit $code, not $expected"
        ! grep -q panicked said || fail "panic"
        [ "$expected" -eq "$own" ] || grep -q 'cannot write the result to stdout' said || fail "the loss is not said"
    done
done
finish
