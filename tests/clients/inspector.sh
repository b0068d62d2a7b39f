#!/usr/bin/env bash
# Talks to a memoryos binary with the MCP Inspector's command line, in both protocol eras.
#
# Not run by `cargo test`: ARCHITECTURE.md, "How to repeat the checks with real clients", says how.
# Usage: inspector.sh BINARY (with `mcp-inspector` on the PATH; it needs Node 22.19 or newer)
set -euo pipefail
binary=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

inspect() {
  mcp-inspector --cli "$binary" -e MEMORYOS_USER_ID=ada -e MEMORYOS_DATA_PATH="$folder" "$@"
}

for era in legacy modern; do
  echo "== $era"
  inspect --protocol-era "$era" --method tools/list --strict > "$folder/tools.json"
  echo "tools/list --strict: no finding"
  inspect --protocol-era "$era" --method tools/call --tool-name add_memory \
    --tool-arg "user_input=I have a cat called Mia ($era)." agent_response=Noted. |
    grep -q '"status": "success"'
  inspect --protocol-era "$era" --method tools/call --tool-name retrieve_memory \
    --tool-arg query=cat max_results=3 | grep -q "called Mia ($era)"
  inspect --protocol-era "$era" --method tools/call --tool-name get_user_info |
    grep -q '"user_id": "ada"'
  echo "add_memory, retrieve_memory, get_user_info: as expected"
done
