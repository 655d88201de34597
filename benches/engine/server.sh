# A server of a benchmark's own, so that none that is in use is touched; it is gone at the end. Sourced from the repository's root.
# Sets `work` (a temporary folder), `latclinic` (the program), `socket` and `port`.

work=$(mktemp -d)
# Started by root, the server's account has to get through.
chmod 755 "$work"
export LATCLINIC_DATA_DIR="$work/server"
cargo build --release --quiet
latclinic=target/release/latclinic
trap '"$latclinic" server destroy --yes > /dev/null; rm -rf "$work"' EXIT
"$latclinic" server start
read -r socket port < <("$latclinic" server status --format json |
    python3 -c 'import json, sys; running = json.load(sys.stdin)["running"]; print(running["socket_dir"], running["port"])')
