#!/usr/bin/env bash
# What the tests of pages and of JavaScript need and pip does not have: Chromium (apt), axe-core and transformers.js (npm).
# If one cannot be installed, this says so and exits with 0: the tests that need it are skipped with the reason.
set -u
cd "$(dirname "$0")"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

has_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

if ! has_chromium >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests (apt-get, once) ..."
    export DEBIAN_FRONTEND=noninteractive
    { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1
    has_chromium >/dev/null 2>&1 ||
        echo "Chromium could not be installed: the browser tests will be skipped. Install it: sudo apt-get install chromium"
fi

# npm writes .package-lock.json when all is in place: an interrupted installation is done again.
install_npm() { # folder, what it is
    [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] && return
    (cd "$1" && npm ci --silent --no-audit --no-fund) >/dev/null 2>&1 && touch "$1/node_modules/.package-lock.json" ||
        echo "$2 could not be installed: its tests will be skipped. Install Node.js with npm, then: make browser"
}

export ONNXRUNTIME_NODE_INSTALL_CUDA=skip # its CPU build is in the package; the other is downloaded from elsewhere
install_npm axe "axe-core"
install_npm js "transformers.js"
exit 0
