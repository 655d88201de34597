#!/usr/bin/env bash
# Peak memory of `latclinic bench`, `latclinic run` and `latclinic compare` by the number of statements: at most 500 MB for 2 000.
# The load is closed and, with --rate, open, where more times are noted. Takes some minutes.
#
# usage: benches/engine/statements.sh [STATEMENTS ..]      (default: 50 500 2000)
#   LATCLINIC   program to measure (default: target/release/latclinic, built if missing)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
latclinic=${LATCLINIC:-$root/target/release/latclinic}
[[ -x $latclinic ]] || cargo build --release --manifest-path "$root/Cargo.toml"
[ "$#" -gt 0 ] || set -- 50 500 2000

scratch=$(mktemp -d)
chmod 755 "$scratch"
export LATCLINIC_DATA_DIR=$scratch/data
unset LATCLINIC_DATABASE_URL
stop() {
    "$latclinic" server destroy --yes >/dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap stop EXIT
cd "$scratch"
# So that the server is no child of what is measured.
"$latclinic" server start >/dev/null

failed=0
for count in "$@"; do
    {
        echo 'title = "Many statements"'
        echo '[dataset]'
        echo 'schema = "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)"'
        echo 'tables.t = { rows = 1000, columns = { id = { sequence = {} }, n = { uniform = { min = 1, max = 9 } } } }'
        for ((number = 1; number <= count; number++)); do
            echo "[workload.statements.s$number]"
            echo "sql = \"SELECT n, $number FROM t WHERE id = \$1\""
            echo 'parameters = [{ uniform = { min = 1, max = 1000 } }]'
        done
        printf '[results]\nsample = 4\n[fix]\ntitle = "index"\nup = "CREATE INDEX t_n ON t (n)"\ndown = "DROP INDEX t_n"\n'
    } >many.toml
    "$latclinic" seed many.toml --reseed >/dev/null 2>&1
    part=0
    for command in "bench many.toml --phase before --duration 3s --clients 4" \
        "bench many.toml --phase before --duration 3s --clients 4 --rate 1000/s" \
        "run many.toml --rounds 2 --block 1s --clients 4" "compare out-$count-3"; do
        part=$((part + 1))
        python3 - "$count" "$latclinic" $command --output "out-$count-$part" <<'PYTHON' || failed=1
import resource, subprocess, sys, time
count, command = int(sys.argv[1]), sys.argv[2:]
begin = time.time()
code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
limit = 500 if count <= 2000 else None
ok = code in (0, 3, 4) and (limit is None or peak <= limit)
shown = command[1] + (" --rate" if "--rate" in command else "")
print(f"{count} statements, {shown}: peak {peak:.0f} MB, {time.time() - begin:.0f} s, exit code {code}{'' if ok else '   FAILED'}")
sys.exit(not ok)
PYTHON
    done
done
exit "$failed"
