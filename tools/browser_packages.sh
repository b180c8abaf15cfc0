#!/bin/sh
# Install what the tests that look at a page in a browser need from Debian: Chromium, and the driver that steers it.
# What is there already is left alone; to install what is not takes root and apt. `--print` only says what is missing.
set -eu
missing=
# need COMMAND PACKAGE
need() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need chromium chromium
need chromedriver chromium-driver
missing=${missing# }
if [ "${1:-}" = --print ]; then
    echo "$missing"
    exit 0
fi
if [ -z "$missing" ]; then exit 0; fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests in a browser need what Debian calls: $missing. To install it here takes root and apt-get." >&2
    exit 1
fi
echo "installing from Debian: $missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  (the names are to be split)
apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 $missing >/dev/null
