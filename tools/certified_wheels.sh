#!/usr/bin/env bash
# Certify our plugins as they are installed, and build them again with the certificates in them: what a release is made of.
#
#   bash tools/certified_wheels.sh INSTALLED BUILDER RELEASE PLAIN
#
# INSTALLED is the `bin` of an environment in which they are installed from wheels, BUILDER a Python that has `build` and
# hatchling, RELEASE the folder that a wheel and an sdist of each distribution go to; those of core come from PLAIN. The
# wheels replace those in INSTALLED, where `turgo executors list` must then show of each plugin that what it declares is proven.
set -euo pipefail
installed=$1 builder=$2 release=$3 plain=$4
rm -rf "$release/sources" # of one that was broken off
mkdir -p "$release/sources"
cp "$plain"/turgo-[0-9]* "$release"
for plugin in local local_dask dask; do
    cp -R "plugins/$plugin" "$release/sources/$plugin"
    "$installed/turgo" executors certify "$plugin" \
        --output "$release/sources/$plugin/src/turgo_$plugin/certificate.json"
    "$builder" -m build --no-isolation --outdir "$release" "$release/sources/$plugin"
done
rm -rf "$release/sources"
"$installed/python" -m pip install -qq --no-deps --force-reinstall "$release"/*.whl
"$installed/turgo" executors list
"$installed/turgo" executors list --json | "$installed/python" -c '
import json, sys
ours = [each for each in json.load(sys.stdin)["executors"] if each["name"] in ("local", "local_dask", "dask")]
proven = [each["name"] for each in ours if each["certificate"] and set(each["capabilities"]) <= set(each["certificate"]["proven"])]
sys.exit(0 if len(proven) == 3 else f"proven by their certificates are only {proven}")'
