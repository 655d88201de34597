#!/usr/bin/env bash
# Records and histograms that are cut, have a bit flipped, or a number changed at a random place: refused, or compared as what they
# are; never a panic, never a wait, little memory.
#
#   benches/faults/hostile_records.sh [TRIES]
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

cat >damage.py <<'PYTHON'
import random, re, sys
path, how, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(seed)
data = bytearray(open(path, "rb").read())
at = random.randrange(len(data))
if how == "cut":
    data = data[:at]
elif how == "flip":
    data[at] ^= 1 << random.randrange(8)
elif how == "number":
    numbers = list(re.finditer(rb"(?<=[ :])-?\d+(\.\d+)?", data))
    number = random.choice(numbers)
    data[number.start():number.end()] = random.choice([b"0", b"-1", b"1e308", b"18446744073709551615", b"0.0001", b"null", b"[]"])
elif how == "double":
    data[at:at] = data[: random.randrange(len(data))]
open(path, "wb").write(data)
PYTHON
for ((number = 0; number < ${1:-200}; number++)); do
    how=$(shuf -n 1 -e cut flip number double --random-source=<(yes "$RANDOM"))
    file=$(shuf -n 1 -e record.json latency.hlog --random-source=<(yes "$RANDOM"))
    side=$(shuf -n 1 -e before after --random-source=<(yes "$RANDOM"))
    seed=$RANDOM
    try "$how of $side/$file, $seed"
    rm -rf run reports && cp -r "$sample" run
    python3 damage.py "run/$side/$file" "$how" "$seed" || fail "damage.py"
    code=0
    (ulimit -v 4000000; exec timeout 60 "$latclinic" compare run >said 2>&1) || code=$?
    case $code in 0 | 3 | 4) ;; *) fail "exit $code" ;; esac
    ! grep -q panicked said || fail "panic"
    [ "$code" -ne 4 ] || grep -q "error: " said || fail "no reason"
done
finish
