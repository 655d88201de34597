#!/usr/bin/env bash
# A network that goes silent after so many bytes, in either direction, under explain, seed, bench and apply-fix: each command
# has to end within 90 s. Needs python3, a build (cargo build) and PostgreSQL's binaries.
#
#   benches/faults/silent_network.sh [STEP]        bytes from one try to the next, 400 by default
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"

cat >"$work/proxy.py" <<'PYTHON'
import socket, sys, threading
server, direction, limit, ready = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

def pump(source, target, limited):
    passed = 0
    while data := source.recv(65536):
        passed += len(data)
        if limited and passed > limit:
            threading.Event().wait()
        target.sendall(data)
    target.shutdown(socket.SHUT_RDWR)

listener = socket.create_server(("127.0.0.1", 0))
open(ready, "w").write(str(listener.getsockname()[1]))
while True:
    client, _ = listener.accept()
    upstream = socket.socket(socket.AF_UNIX)
    upstream.connect(server)
    for source, target, way in ((client, upstream, "up"), (upstream, client, "down")):
        threading.Thread(target=pump, args=(source, target, way == direction), daemon=True).start()
PYTHON

"$latclinic" server start >said
socket=$("$latclinic" server status --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["running"]["socket_dir"])')/.s.PGSQL.5432
"$latclinic" seed --rows 2000 >said 2>&1 || fail "seed"
commands=("explain --phase before --rows 2000 --time-limit 2s --output $work/explained" "seed --rows 2000 --reseed" "apply-fix --rows 2000 --yes"
    "bench --phase before --rows 2000 --clients 2 --warmup 100ms --duration 1s --statement-timeout 500ms --output $work/measured")
for direction in down up; do
    for limit in $(seq 100 "${1:-400}" 6000); do
        for command in "${commands[@]}"; do
            rm -rf "$work/port" "$work/measured" "$work/explained"
            python3 "$work/proxy.py" "$socket" "$direction" "$limit" "$work/port" 2>"$work/proxy" &
            proxy=$!
            until [ -s "$work/port" ]; do sleep 0.05; done
            start $command --database-url "postgres://latclinic@127.0.0.1:$(cat "$work/port")/latclinic"
            await
            kill "$proxy"
            try "$direction $limit: ${command%% *}: exit $code after $took ms: $(grep -m1 '^error' said)"
            [ "$took" -le 90000 ] || fail "it took too long"
            [ "$code" -le 4 ] || fail "exit $code"
            ! grep -qE 'bytes remaining|connection closed|panicked' said || fail "words of the driver"
        done
        "$latclinic" server psql -- -qAtXc "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'latclinic %'" >said 2>&1
        "$latclinic" revert-fix --rows 2000 >said 2>&1 || "$latclinic" seed --rows 2000 --reseed >said 2>&1
    done
done
finish
