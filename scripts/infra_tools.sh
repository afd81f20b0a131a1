#!/bin/sh
# Make .venv-infra, the linters of infra/, from requirements-infra.txt; does nothing when it is there already.
set -eu
cd "$(dirname "$0")/.."

if command -v flock >/dev/null; then
    exec 9>.venv-infra.lock
    flock 9
fi
if ! cmp -s requirements-infra.txt .venv-infra/.packages; then
    rm -rf .venv-infra
    .venv/bin/python -m venv .venv-infra
    # The file names every package there is; most of checkov is never imported, so not compiled either.
    .venv-infra/bin/python -m pip install --quiet --quiet --disable-pip-version-check \
        --no-deps --no-compile --require-hashes -r requirements-infra.txt
    cp requirements-infra.txt .venv-infra/.packages
fi
