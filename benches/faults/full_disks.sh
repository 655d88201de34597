#!/usr/bin/env bash
# bench and run on small disks, and on disks that fill up at a random moment: refused before anything is measured, or saved complete.
# Needs the right to mount.
#
#   benches/faults/full_disks.sh [TRIES]
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

unshare -m sh -c 'mount -t tmpfs tmpfs /mnt' 2>/dev/null || { echo "skipped: no file system may be mounted here"; exit 0; }
"$latclinic" seed --rows 2000 >said 2>&1 || fail "seed"
mkdir disk kept
quick="--rows 2000 --clients 2 --warmup 100ms"
commands=("bench --phase before $quick --duration 1s" "run $quick --rounds 1 --block 500ms")
for ((number = 0; number < ${1:-20}; number++)); do
    command=${commands[$((number % 2))]} kilobytes=$((200 + RANDOM % 3000)) moment=$((RANDOM % 3)).$((RANDOM % 1000))
    try "$command, $kilobytes KB, filled after $moment s"
    "$latclinic" revert-fix --rows 2000 >said 2>&1 || fail "revert-fix"
    rm -rf kept/*
    # TMPDIR is on the disk that fills too: what is saved elsewhere is on yet another one.
    LATCLINIC=$latclinic unshare -m bash -c "mount -t tmpfs -o size=${kilobytes}k tmpfs disk || exit 99
        (sleep $moment; exec cat /dev/zero >disk/filler 2>/dev/null) & filler=\$!
        TMPDIR=\$PWD/disk \"\$LATCLINIC\" $command --output disk/out >said 2>&1; code=\$?
        kill \$filler 2>/dev/null; rm -f disk/filler; cp -r disk/. kept 2>/dev/null; exit \$code"
    code=$?
    complete kept || fail "what is on the disk is not complete"
    if [ -e kept/out ]; then
        case $command in run*) [ -s kept/out/comparison.json ] || fail "no comparison" ;; *) [ -s kept/out/record.json ] || fail "no record" ;; esac
    elif ! grep -q 'No space left' said || grep -q 'before  ' said; then
        grep -q 'what was measured is in' said || fail "measured in vain, exit $code"
    fi
    ! grep -q panicked said || fail "panic"
done
finish
