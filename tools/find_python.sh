#!/bin/sh
# Print the path of a Python that can make a virtual environment, or say what is missing and exit with 1.
#   tools/find_python.sh            the newest supported one that is found
#   tools/find_python.sh 3.11       that version and no other
# Looked for in PATH, then under pyenv: a shim in PATH may stand for a version that is not switched on.
set -eu

check='
import sys
wanted = tuple(int(part) for part in sys.argv[1].split(".")) if sys.argv[1] else ()
if sys.version_info < (3, 11) or sys.version_info[: len(wanted)] != wanted:
    sys.exit(1)
import ensurepip, venv
print(sys.executable)
'

candidates() {
    for version in $versions; do
        echo "python$version"
        ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python 2>/dev/null || true
    done
    echo python3
    echo python
}

wanted=${1:-}
versions=${wanted:-3.14 3.13 3.12 3.11}
for candidate in $(candidates); do
    if found=$("$candidate" -c "$check" "$wanted" 2>/dev/null); then
        echo "$found"
        exit 0
    fi
done
echo "No Python ${wanted:-3.11 or newer} that can make virtual environments was found in PATH or under pyenv." >&2
echo "Install one (on Debian: python3 and python3-venv), or name it: make PYTHON=/path/to/python …" >&2
exit 1
