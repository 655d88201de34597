#!/usr/bin/env bash
# Runs every script of this folder, each a kind of fault, and prints a line for each: pass or fail, with its tries and the seed.
# Ends with 1 if one failed.
#
#   benches/faults/run.sh [NAME ..]     such as signals; all of them by default. Needs a build: cargo build
#   SEED        of all random moments (default: of the time)
#   LATCLINIC   program to test (default: target/debug/latclinic)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export SEED=${SEED:-$(date +%s)}
logs=$(mktemp -d)
names=("$@")
[ "${#names[@]}" -gt 0 ] || for script in *.sh; do [ "$script" = run.sh ] || names+=("${script%.sh}"); done
failed=0
for name in "${names[@]}"; do
    begin=$SECONDS
    if "./$name.sh" >"$logs/$name" 2>&1; then outcome=pass; else outcome=FAIL failed=$((failed + 1)); fi
    tries=$(grep -cE '^[0-9]+: ' "$logs/$name")
    faults=$(grep -c '^FAIL' "$logs/$name")
    echo "$outcome $name: $tries tries, $faults failures, $((SECONDS - begin)) s, seed $SEED"
    [ "$outcome" = pass ] || { sed 's/^/    /' "$logs/$name"; }
done
echo "$((${#names[@]} - failed)) of ${#names[@]} passed"
rm -rf "$logs"
[ "$failed" -eq 0 ]
