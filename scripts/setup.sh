#!/bin/sh
# Set up everything inside this checkout: .venv and node_modules from the lock files, and the `tessera` command.
# A stamp written last says what is installed: a second run does nothing, a changed lock file installs again,
# and what an interrupted run left behind is not taken for complete.
set -eu
cd "$(dirname "$0")/.."

log=.setup.log
venv_python=.venv/bin/python

say() { printf '%s\n' "$@" >&2; }

run_logged() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        say "" "Set-up failed at: $*" "The whole log is in $PWD/$log"
        exit 1
    fi
}

# base_python CANDIDATE: print the real executable behind a candidate, if it will do. A pyenv shim may exist and
# still fail, so it is run; a free-threaded build has no OpenCV wheels; an active .venv may be about to go.
base_python() {
    "$1" - 2>/dev/null <<'END'
import sys, sysconfig
import ensurepip, sqlite3, ssl, venv
if sys.version_info[:2] != (3, 13) or sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit(1)
print(sys._base_executable)
END
}

uv_python() {
    command -v "$1" >/dev/null || return 1
    "$1" python find 3.13 2>>"$log" || {
        "$1" python install 3.13 >>"$log" 2>&1 && "$1" python find 3.13 2>>"$log"
    }
}

find_python() {
    for candidate in python3.13 python3 python "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
        base_python "$candidate" && return
    done
    for uv in uv "$HOME/.local/bin/uv"; do
        candidate=$(uv_python "$uv") && base_python "$candidate" && return
    done
    return 1
}

explain_python() {
    say "Tessera needs Python 3.13 with its venv, ssl and sqlite3 modules, and none was found on PATH, under" \
        "pyenv or through uv. Install it in one of these ways, then run the same command again:" \
        "  uv python install 3.13" \
        "  pyenv install 3.13" \
        "  apt-get install python3.13 python3.13-venv    (where the distribution has them)"
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
    if [ "$(head -n 1 .venv/.packages 2>/dev/null)" != "$PWD" ]; then
        python=$(find_python) || { explain_python; exit 1; }
        say "Making .venv with $python"
        rm -rf .venv
        run_logged "$python" -m venv .venv
    fi
    rm -f .venv/.packages
    say "Installing Python packages into .venv (a minute or two the first time)"
    # pyvips, built where libvips' headers are, would replace the pinned libvips of pyvips-binary with the machine's.
    # The file names every package there is, so pip needn't look for more; it compiles on one processor.
    run_logged env PKG_CONFIG_LIBDIR=/dev/null \
        "$venv_python" -m pip install --quiet --no-deps --no-compile --require-hashes -r requirements-dev.txt
    "$venv_python" -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 9>&- &
    write_stamp .venv/.packages requirements-dev.txt
}

install_project() {
    say "Installing the tessera command into .venv"
    command -v cc >/dev/null || say "There is no C compiler (cc): resizing and medians will take far longer."
    run_logged "$venv_python" -m pip install --quiet --no-build-isolation --no-deps --editable .
    write_stamp .venv/.project pyproject.toml tessera/compiled/*.[ch]
}

install_node_packages() {
    say "Installing Azurite into node_modules"
    run_logged scripts/npm.sh ci --ignore-scripts --no-progress --loglevel=error
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
project=
if ! is_current .venv/.project pyproject.toml tessera/compiled/*.[ch]; then
    install_project 9>&- & # the compiler and npm side by side
    project=$!
fi
is_current node_modules/.packages package-lock.json || install_node_packages
[ -z "$project" ] || wait "$project"
wait
