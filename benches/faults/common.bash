# What the scripts of this folder share: a folder and a server of their own, tries, failures, random moments by SEED.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
latclinic=${LATCLINIC:-$PWD/target/debug/latclinic}
RANDOM=${SEED:=$(date +%s)}
echo "seed $SEED"
work=$(mktemp -d) && chmod 755 "$work" # root's server runs as another user, who has to pass
export LATCLINIC_DATA_DIR=$work/data
unset LATCLINIC_DATABASE_URL
sample=$PWD/reports/sample
tries=0 failures=0
trap '"$latclinic" server destroy --yes >/dev/null 2>&1; rm -rf "$work"' EXIT
cd "$work" || exit 1

try() { tries=$((tries + 1)); echo "$tries: $*"; }
fail() { failures=$((failures + 1)); echo "FAIL $*"; [ ! -f said ] || tail -n 20 said; }
finish() { echo "$tries tries, $failures failures, seed $SEED"; [ "$failures" -eq 0 ]; exit; }

# Starts the program in the background; what it says goes to `said`.
start() { begun=$(date +%s%N); timeout 150 "$latclinic" "$@" >said 2>&1 & pid=$!; }
# Waits for its end: `code` and `took`, in milliseconds.
await() { code=0; wait "$pid" || code=$?; took=$((($(date +%s%N) - begun) / 1000000)); }
running() { kill -0 "$pid" 2>/dev/null; }

# The postmaster of the managed server and its backends, as far as there are any.
postmaster() { head -qn 1 "$work"/data/pg*/postmaster.pid 2>/dev/null; }
backends() {
    local postmaster child
    postmaster=$(postmaster) || return 0
    for child in $(cat "/proc/$postmaster/task/$postmaster/children" 2>/dev/null); do
        # It may have ended meanwhile.
        if { tr '\0' ' ' <"/proc/$child/cmdline"; } 2>/dev/null | grep -q '\[local\]'; then echo "$child"; fi
    done
}
# Processes of a server of this folder.
processes() { for cwd in /proc/[0-9]*/cwd; do readlink "$cwd"; done 2>/dev/null | grep -c "^$work/data"; }

# Commands that work with the managed server, and how long each works with it at least, in milliseconds.
server_commands=("bench --phase before --rows 100000 --warmup 200ms --duration 3s --output out" "run --rows 100000 --rounds 1 --block 1s --warmup 200ms --output out"
    "seed --rows 100000 --reseed" "apply-fix --rows 100000" "revert-fix --rows 100000")
works=(3000 4000 600 100 50)

# Waits until the program has a backend, and for up to so many milliseconds more.
moment() {
    while running && [ -z "$(backends)" ]; do sleep 0.01; done
    sleep "$(printf '0.%03d' $((RANDOM % ($1 + 1) % 1000)))"; sleep $((RANDOM % ($1 / 1000 + 1)))
}

# What command number $1 needs: a dataset of its size; the fix, if it is to be taken back.
prepare() {
    case ${server_commands[$1]} in
        bench* | run*) "$latclinic" revert-fix --rows 100000 >said 2>&1 || "$latclinic" seed --rows 100000 --reseed >said 2>&1 || fail "the seed before" ;;
        apply*) "$latclinic" seed --rows 100000 --reseed >said 2>&1 || fail "the seed before" ;;
        revert*) "$latclinic" apply-fix --rows 100000 >said 2>&1 || fail "the fix before" ;;
    esac
    rm -rf out
}

# Judges how the program ended: in time, with a code of its own; with 1 only if it says these words of the server. Nothing unfinished
# and no process is left, and the next command works.
judge() {
    [ "$took" -lt 60000 ] || fail "it took too long"
    [ "$code" -le 1 ] || [ "$code" -eq 4 ] || fail "exit $code"
    ! grep -q panicked said || fail "panic"
    if [ "$code" -eq 1 ]; then grep -q "$1" said || fail "it does not say what happened"; fi
    complete out >>said 2>&1 || fail "what is on disk is not complete"
    [ "$(processes)" -eq 0 ] || { sleep 1; [ "$(processes)" -eq 0 ] || fail "processes are left"; }
    case ${server_commands[$which]} in
        seed*) "$latclinic" seed --rows 100000 --reseed >said 2>&1 || fail "the next seed" ;;
        *) "$latclinic" revert-fix --rows 100000 >said 2>&1 || fail "the next revert-fix" ;;
    esac
}

# Every record that is there has to be complete, and nothing unfinished may be left beside it.
complete() {
    python3 - "$1" <<'PYTHON'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
for path in folder.rglob("*") if folder.exists() else []:
    assert not path.name.startswith("."), path
    if path.suffix == ".json":
        json.loads(path.read_text())
    if path.name == "record.json":
        assert (path.parent / "latency.hlog").read_text().endswith("\n"), path
PYTHON
}
