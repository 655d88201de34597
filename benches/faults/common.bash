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
