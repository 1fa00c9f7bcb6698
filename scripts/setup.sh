#!/bin/sh
# Makes .venv and node_modules from the pinned files of this repository. Does nothing when they are
# up to date. Every way to fail ends in one sentence that says what to do.
set -u
cd "$(dirname "$0")/.." || exit 1

fail() {
    echo "cloudspend: $*" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

choose_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

# with_progress MESSAGE LOG COMMAND...: runs the command, prints a sign of life every few seconds.
with_progress() {
    message=$1 log=$2
    shift 2
    "$@" >"$log" 2>&1 &
    job=$! waited=0
    trap 'kill $job 2>/dev/null; exit 130' INT TERM
    while kill -0 "$job" 2>/dev/null; do
        sleep 1
        waited=$((waited + 1))
        [ $((waited % 10)) -eq 0 ] && echo "  $message ($waited s)"
    done
    trap - INT TERM
    wait "$job"
}

command -v node >/dev/null 2>&1 ||
    fail "Node.js is missing. Install Node.js 20 or later, then run this again."
node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' ||
    fail "Node.js $(node --version) is too old. Install Node.js 20 or later, then run this again."
command -v npm >/dev/null 2>&1 ||
    fail "npm is missing. Install it (it comes with Node.js), then run this again."

wanted=$(cat requirements.txt requirements-dev.txt package-lock.json pyproject.toml scripts/setup.sh | cksum)
stamp=.venv/cloudspend-setup
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && [ -x node_modules/.bin/cdk ] &&
    .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

python=$(choose_python)
[ -n "$python" ] ||
    fail "Python 3.11 or later was not found. Install it, or name it: make PYTHON=/path/to/python3.11."

mkdir -p .local
echo "Setting up .venv and node_modules (once; a few minutes)"
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    rm -rf .venv
    "$python" -m venv .venv >.local/setup-venv.log 2>&1 ||
        fail "Python could not make a virtual environment (.local/setup-venv.log). Install its venv module (Debian: apt-get install python3-venv), then run this again."
fi
with_progress "installing Python packages" .local/setup-pip.log \
    .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off \
    -r requirements.txt -r requirements-dev.txt ||
    fail "The Python packages could not be installed (.local/setup-pip.log). Check that the package index can be reached from here, then run this again."
with_progress "installing the CDK command line" .local/setup-npm.log \
    npm ci --no-audit --no-fund ||
    fail "The CDK command line could not be installed (.local/setup-npm.log). Check that the npm registry can be reached from here, then run this again."
.venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation \
    -e . >.local/setup-cloudspend.log 2>&1 ||
    fail "CloudSpend itself could not be installed (.local/setup-cloudspend.log). Please report this as a defect."
echo "$wanted" >"$stamp"
