#!/usr/bin/env bash
# Certify our plugins as they are installed, and build their wheels again with the certificates in them.
#
#   bash tools/certified_wheels.sh INSTALLED BUILDER WHEELS
#
# INSTALLED is the `bin` of an environment in which they are installed from wheels, BUILDER a Python that has `build` and
# hatchling, WHEELS the folder that the new wheels go to. They replace those in INSTALLED, where `turgo executors list`
# must then show of each that what it declares is proven.
set -euo pipefail
installed=$1 builder=$2 wheels=$3
mkdir -p "$wheels/sources"
for plugin in local local_dask dask; do
    cp -R "plugins/$plugin" "$wheels/sources/$plugin"
    "$installed/turgo" executors certify "$plugin" \
        --output "$wheels/sources/$plugin/src/turgo_$plugin/certificate.json"
    "$builder" -m build --wheel --no-isolation --outdir "$wheels" "$wheels/sources/$plugin"
done
rm -rf "$wheels/sources"
"$installed/python" -m pip install -qq --no-deps --force-reinstall "$wheels"/*.whl
"$installed/turgo" executors list
"$installed/turgo" executors list --json | "$installed/python" -c '
import json, sys
ours = [each for each in json.load(sys.stdin)["executors"] if each["name"] in ("local", "local_dask", "dask")]
proven = [each["name"] for each in ours if each["certificate"] and set(each["capabilities"]) <= set(each["certificate"]["proven"])]
sys.exit(0 if len(proven) == 3 else f"proven by their certificates are only {proven}")'
