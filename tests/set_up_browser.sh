#!/usr/bin/env bash
# What the browser tests need and pip cannot give: Chromium (apt) and axe-core (npm). Where one cannot be had, this says
# so and ends well: the tests that need it skip and say so too.
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
if [ ! axe/node_modules/.package-lock.json -nt axe/package-lock.json ]; then
    (cd axe && npm ci --silent --no-audit --no-fund) >/dev/null 2>&1 && touch axe/node_modules/.package-lock.json ||
        echo "axe-core could not be installed: its tests will be skipped. Install Node.js with npm, then: make browser"
fi
exit 0
